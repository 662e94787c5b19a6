import type { Ledger, Position } from '#ledger';
import type { Vault } from '#vault';
import { personEntries, sourceEntries } from './entries.js';
import type { Seeds } from './followed-index.js';
import { FollowedIndex } from './followed-index.js';
import type { LookupKind } from './words.js';
import { questionsOf } from './words.js';

export interface LookupOptions {
  readonly ledger: Ledger;
  readonly vault: Vault;
  /** Cards of persons and companies. */
  readonly cards?: Seeds;
  /** Told why an index begins anew. */
  readonly interrupted?: (error: unknown) => void;
}

/**
 * The index of persons, in memory only: built by each process at start from the sealed cards, kept up by the log, and thrown
 * away with the lease that covered the keys it was read with. Nothing of it is ever stored, so no old dump confirms a guess.
 * What it finds are candidates: whoever asks opens them and verifies (`answers`), which is also why a forgotten person is
 * never found. Until it has caught up, asking throws `lookup-warming`. The keys of sources, which only an import asks for and no card
 * holds, have an index of their own: it is made from the log, and only once persons are found.
 */
export class Lookup {
  readonly #persons: FollowedIndex;
  readonly #sources: FollowedIndex;

  constructor({ cards, ...options }: LookupOptions) {
    this.#persons = new FollowedIndex({ ...options, entries: personEntries, ...(cards ? { seeds: cards } : {}) });
    this.#sources = new FollowedIndex({
      ...{ ...options, entries: sourceEntries },
      // Both at once would only make whoever looks for a person wait longer.
      ...{ after: this.#persons, unhurried: true },
    });
  }

  /** Begins to build, in the background. */
  start(): void {
    this.#persons.start();
    this.#sources.start();
  }

  /** Resolves when persons can be looked up, or when they can't because something is unreadable. */
  settled(): Promise<void> {
    return this.#persons.settled();
  }

  /** Ids of candidates, `limit` at most. Throws `lookup-warming`. */
  find(kind: LookupKind, value: string, limit?: number): readonly string[] {
    return (kind === 'sourceKey' ? this.#sources : this.#persons).find(questionsOf(kind, value), limit);
  }

  /** Waits until everything up to a position can be found. Throws `lookup-warming` when that takes longer than `timeoutMs`. */
  async waitFor(position: Position, timeoutMs: number): Promise<void> {
    await Promise.all([this.#persons, this.#sources].map((index) => index.waitFor(position, timeoutMs)));
  }

  async close(): Promise<void> {
    await Promise.all([this.#persons.close(), this.#sources.close()]);
  }
}
