import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Ledger, Opens, Position, RecordedEvent } from '#ledger';
import { codeOf, isOutage, MakulerError } from '#kernel';
import type { Vault } from '#vault';
import { HashIndex } from './hash-index.js';
import { IdTable } from './id-table.js';
import type { LookupKind } from './words.js';
import { wordsOf } from './words.js';

/** What makes a record findable: its id under words of some kinds. */
export interface LookupEntry {
  readonly id: string;
  readonly words: readonly { readonly kind: LookupKind; readonly value: string }[];
}
/** What events make findable. */
export interface Entries {
  /** The fields that `of` reads. */
  readonly opens: Opens;
  of(event: RecordedEvent): readonly LookupEntry[];
}
/** Where what the log has made findable can be had in bulk. */
export interface Seeds {
  /**
   * Entries that hold at least what the log made findable up to `position`; undefined while there are none of this log. Pages that
   * nobody asks for are not read.
   */
  begin(): Promise<{ readonly position: Position; readonly pages: AsyncIterable<readonly LookupEntry[]> } | undefined>;
}

export interface FollowedIndexOptions {
  readonly ledger: Ledger;
  readonly vault: Vault;
  readonly entries: Entries;
  /** Without them the log is read from its beginning. */
  readonly seeds?: Seeds;
  /** An index that is to be there before: as long as it is not, this one is not begun. */
  readonly after?: FollowedIndex;
  /** As long as nobody waits for it, it leaves most of the time to what else this process does. */
  readonly unhurried?: boolean;
  /** Told why it begins anew; it does so after a second. */
  readonly interrupted?: (error: unknown) => void;
}

const RETRY_MS = 1_000;
/** Something unreadable stays so until somebody has mended it. */
const LONGEST_RETRY_MS = 60_000;
/** Events of the log at a time: the more, the fewer calls for keys; the fewer, the sooner the other requests of this process get their turn. */
const BATCH = 500;
const SMALL_BATCH = 50;
/** Where nobody is in a hurry: how often as long as a batch took, with its reading and opening, it rests, and how long at most. */
const LEISURE = 3;
const LONGEST_REST_MS = 100;

/**
 * An index in memory that follows the log, and is thrown away with the lease that covered the keys it was made with. Until it
 * holds all that stood in the log when it began, asking throws `lookup-warming`.
 */
export class FollowedIndex {
  #index = new HashIndex();
  #ids = new IdTable();
  #position: Position = 0n;
  #ready = false;
  /** Why it could not be built the last time, where that was no outage. */
  #fault: unknown;
  #generation = new AbortController();
  #closed = false;
  #waiting = new Set<() => void>();
  #running: Promise<void> | undefined;

  constructor(private readonly options: FollowedIndexOptions) {}

  /** Begins to build, in the background; failures are met with patience, because an outage ends. */
  start(): void {
    this.options.vault.onDropped((scopes) => {
      if (scopes !== 'all') return;
      this.#ready = false;
      this.#generation.abort();
    });
    this.#running = this.#run();
  }

  /**
   * Ids of records under all of the words, `limit` at most; of those that came since it was begun the last are the first. Throws
   * `lookup-warming`.
   */
  find(words: readonly string[], limit = Infinity): readonly string[] {
    if (!this.#ready) throw new MakulerError('lookup-warming', { retryAfterSeconds: 1 });
    return this.#index
      .find(words)
      .slice(0, limit)
      .map((number) => this.#ids.idOf(number));
  }

  /**
   * Resolves when all is there that stood in the log when the index was begun, or when it can't be because something is unreadable:
   * that no waiting mends. Never, when it is closed before.
   */
  async settled(): Promise<void> {
    await this.#until(() => this.#ready || this.#fault !== undefined);
  }

  /** Waits until the index has reached a position. Throws `lookup-warming` when that takes longer than `timeoutMs`. */
  async waitFor(position: Position, timeoutMs: number): Promise<void> {
    const late = AbortSignal.timeout(timeoutMs);
    const isThere = await this.#until(() => this.#ready && this.#position >= position, late);
    if (!isThere) throw new MakulerError('lookup-warming', { retryAfterSeconds: 1 });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#generation.abort();
    await this.#running;
  }

  /** Looks whenever something has changed. Whether it came to hold before `late` was aborted. */
  async #until(holds: () => boolean, late?: AbortSignal): Promise<boolean> {
    if (holds()) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const look = () => void (holds() && resolve(true));
    this.#waiting.add(look);
    late?.addEventListener('abort', () => resolve(false));
    return promise.finally(() => this.#waiting.delete(look));
  }

  async #run(): Promise<void> {
    let said: string | undefined;
    for (let pauseMs = RETRY_MS; !this.#closed;) {
      this.#forgetEverything();
      const { signal } = this.#generation;
      try {
        await this.#build(signal);
        pauseMs = RETRY_MS;
        said = undefined;
      } catch (error) {
        // Vault, store or database away, or something unreadable: it is built from the beginning when that has ended.
        if (this.#closed) return;
        // Once, and not every second for as long as the same lasts.
        if (this.#ready || codeOf(error) !== said) this.options.interrupted?.(error);
        said = codeOf(error);
        this.#ready = false;
        this.#fault = isOutage(error) ? undefined : error;
        this.#look();
        await rest(pauseMs, signal);
        pauseMs = isOutage(error) ? RETRY_MS : Math.min(2 * pauseMs, LONGEST_RETRY_MS);
      }
    }
  }

  /** Ends when `signal` is aborted. */
  async #build(signal: AbortSignal): Promise<void> {
    const { ledger, entries, unhurried, after: earlier } = this.options;
    if (earlier) await Promise.race([earlier.settled(), once(signal, 'abort')]);
    if (signal.aborted) return;
    // The head is asked first: the index is ready when it holds all that was there when it began.
    const head = await ledger.head();
    const after = await this.#seed(signal);
    if (signal.aborted) return;
    this.#reached(after ?? 0n, head);
    const from = after === undefined ? {} : { after };
    const maxBatch = unhurried ? SMALL_BATCH : BATCH;
    let begun = performance.now();
    for await (const batch of ledger.subscribe({ signal, opens: entries.opens, maxBatch, ...from })) {
      for (const event of batch.events) for (const entry of entries.of(event)) this.#add(entry);
      this.#reached(batch.position, head);
      if (unhurried && !this.#ready && this.#waiting.size === 0)
        await rest(Math.min(LEISURE * (performance.now() - begun), LONGEST_REST_MS), signal);
      begun = performance.now();
    }
  }

  /** Gives the position after which the log is to be followed. What the log can be read without is not waited for. */
  async #seed(signal: AbortSignal): Promise<Position | undefined> {
    try {
      const seeds = await this.options.seeds?.begin();
      if (!seeds || seeds.position === 0n) return undefined;
      for await (const page of seeds.pages) {
        if (signal.aborted) break;
        for (const entry of page) this.#add(entry);
      }
      return seeds.position;
    } catch (error) {
      if (isOutage(error)) throw error;
      this.options.interrupted?.(error);
      return undefined;
    }
  }

  #reached(position: Position, head: Position): void {
    this.#position = position;
    if (position >= head) this.#ready = true;
    this.#look();
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }

  #add({ id, words }: LookupEntry): void {
    const number = this.#ids.numberOf(id);
    for (const { kind, value } of words) for (const word of wordsOf(kind, value)) this.#index.add(word, number);
  }

  #forgetEverything(): void {
    this.#ready = false;
    this.#fault = undefined;
    this.#index = new HashIndex();
    this.#ids = new IdTable();
    this.#position = 0n;
    this.#generation = new AbortController();
    if (this.#closed) this.#generation.abort();
  }
}

const rest = (ms: number, signal: AbortSignal): Promise<void> =>
  delay(ms, undefined, { signal }).catch(() => undefined);
