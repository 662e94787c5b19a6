import type { StoredEvent } from './event.js';

const MAX_EVENTS = 8_192;
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * The newest events in memory, shared by all live subscribers, and the end of the log. Bounded: a subscriber that falls out
 * of it reads from the database again. Because positions have no holes, "the next one is missing here" is always noticed.
 */
export class Tail {
  #events: StoredEvent[] = [];
  #bytes = 0;
  #head: number;
  readonly #waiting = new Set<() => void>();

  constructor(head: number) {
    this.#head = head;
  }

  /** Position of the last event that is known to be on disk; 0 for an empty log. */
  get head(): number {
    return this.#head;
  }

  /** Called after the commit, in the order of positions. */
  publish(events: readonly StoredEvent[]): void {
    const last = events.at(-1);
    if (!last) return;
    for (const event of events) {
      this.#bytes += event.data.length + event.metadata.length;
      this.#events.push(byItself(event));
    }
    this.#head = last.position;
    this.#trim();
    this.#wake();
  }

  /** The log was read anew after a failure: events up to `head` may be on disk that were never published. */
  restart(head: number): void {
    this.#events = [];
    this.#bytes = 0;
    this.#head = head;
    this.#wake();
  }

  /** The events after `position`, at most `limit`; `undefined` when the first of them is no longer in memory. */
  after(position: number, limit: number): readonly StoredEvent[] | undefined {
    if (position >= this.#head) return [];
    const first = this.#events[0]?.position;
    if (first === undefined || position + 1 < first) return undefined;
    const from = position + 1 - first;
    return this.#events.slice(from, from + limit);
  }

  /** Resolves as soon as the log goes on after `position`, or the signal is aborted. */
  advanced(position: number, signal: AbortSignal): Promise<void> {
    if (position < this.#head || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener('abort', done);
    });
  }

  #wake(): void {
    for (const resolve of [...this.#waiting]) resolve();
  }

  #trim(): void {
    // In one cut well below the limit: shifting one event at a time would cost the whole array each time.
    if (this.#events.length <= MAX_EVENTS && this.#bytes <= MAX_BYTES) return;
    let drop = 0;
    while (this.#events.length - drop > MAX_EVENTS / 2 || (this.#bytes > MAX_BYTES / 2 && drop < this.#events.length)) {
      const event = this.#events[drop++]!;
      this.#bytes -= event.data.length + event.metadata.length;
    }
    this.#events.splice(0, drop);
  }
}

/**
 * What came over the wire is a view of the whole chunk that it came in, and a small buffer one of a slab that it shares with what is gone
 * soon: kept as it is, a small event would hold all of that.
 */
const byItself = (event: StoredEvent): StoredEvent => {
  const { data, metadata } = event;
  const own = Buffer.allocUnsafeSlow(data.length + metadata.length);
  data.copy(own);
  metadata.copy(own, data.length);
  return { ...event, data: own.subarray(0, data.length), metadata: own.subarray(data.length) };
};
