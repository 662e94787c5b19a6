import type { Ledger, Opens, Position, RecordedEvent } from '#ledger';
import { MakulerError } from '#kernel';
import type { Vault } from '#vault';
import { HashIndex } from './hash-index.js';
import type { LookupKind } from './words.js';
import { questionsOf, wordsOf } from './words.js';

/** What one event makes findable: a record's id under words of some kinds. */
export interface LookupEntry {
  readonly id: string;
  readonly words: readonly { readonly kind: LookupKind; readonly value: string }[];
}
export interface Entries {
  /** The fields that `of` reads. */
  readonly opens: Opens;
  of(event: RecordedEvent): readonly LookupEntry[];
}

const RETRY_MS = 1_000;
/** Events of the log at a time: the more, the fewer calls for keys; the fewer, the sooner the other requests of this process get their turn. */
const BATCH = 500;

/**
 * The index of persons, in memory only: built by each process from the sealed log at start, kept up by the log, and thrown
 * away with the lease that covered the keys it was read with. Nothing of it is ever stored, so no old dump confirms a guess.
 * What it finds are candidates: whoever asks opens them and verifies (`answers`), which is also why a forgotten person is
 * never found. Until it has caught up, asking throws `lookup-warming`.
 */
export class Lookup {
  #index = new HashIndex();
  #ids: string[] = [];
  #slots = new Map<string, number>();
  #position: Position = 0n;
  #ready = false;
  #generation = new AbortController();
  #closed = false;
  #waiting = new Set<() => void>();
  #running: Promise<void> | undefined;

  constructor(
    private readonly ledger: Ledger,
    private readonly vault: Vault,
    private readonly entries: Entries,
  ) {}

  /** Begins to build, in the background; failures are met with patience, because an outage ends. */
  start(): void {
    this.vault.onDropped((scopes) => {
      if (scopes === 'all') this.#generation.abort();
    });
    this.#running = this.#run();
  }

  get state(): 'warming' | 'ready' {
    return this.#ready ? 'ready' : 'warming';
  }

  /** Position in the log that the index has reached. */
  get position(): Position {
    return this.#position;
  }

  /** Bytes that the hashes take (the ids come on top). */
  get bytes(): number {
    return this.#index.bytes;
  }

  /** Ids of candidates, newest first. Throws `lookup-warming`. */
  find(kind: LookupKind, value: string): readonly string[] {
    if (!this.#ready) throw new MakulerError('lookup-warming', { retryAfterSeconds: 1 });
    return this.#index.find(questionsOf(kind, value)).map((slot) => this.#ids[slot]!);
  }

  /** Waits until the index has reached a position. Throws `lookup-warming` when that takes longer than `timeoutMs`. */
  async waitFor(position: Position, timeoutMs: number): Promise<void> {
    if (this.#ready && this.#position >= position) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new MakulerError('lookup-warming', { retryAfterSeconds: 1 }));
      }, timeoutMs);
      const look = () => {
        if (!this.#ready || this.#position < position) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#generation.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      this.#forgetEverything();
      const { signal } = this.#generation;
      try {
        // The head is asked first: the index is ready when it holds all that was there when it began.
        const head = await this.ledger.head();
        if (head === 0n) this.#ready = true;
        for await (const batch of this.ledger.subscribe({ signal, opens: this.entries.opens, maxBatch: BATCH })) {
          for (const event of batch.events) for (const entry of this.entries.of(event)) this.#add(entry);
          this.#position = batch.position;
          if (batch.position >= head) this.#ready = true;
          for (const look of this.#waiting) look();
        }
      } catch {
        // Vault or store away: the index is rebuilt from the beginning when they are back, and says `lookup-warming` until then.
        if (!this.#closed) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  #add({ id, words }: LookupEntry): void {
    let slot = this.#slots.get(id);
    if (slot === undefined) {
      slot = this.#ids.push(id) - 1;
      this.#slots.set(id, slot);
    }
    for (const { kind, value } of words) for (const word of wordsOf(kind, value)) this.#index.add(word, slot);
  }

  #forgetEverything(): void {
    this.#ready = false;
    this.#index = new HashIndex();
    this.#ids = [];
    this.#slots = new Map();
    this.#position = 0n;
    this.#generation = new AbortController();
    if (this.#closed) this.#generation.abort();
  }
}
