import type { EventToStore, ExpectedRevision, StoredBatch, StoredEvent, StreamName } from '#ledger';
import { EventStore, RevisionConflict } from '#ledger';

/** An event store in memory. Positions are 1, 2, 3 …: how many events there are. */
export class EventStoreDouble extends EventStore {
  readonly #events: StoredEvent[] = [];
  readonly #streams = new Map<StreamName, StoredEvent[]>();
  readonly #wake = new Set<() => void>();

  async append(stream: StreamName, expected: ExpectedRevision, events: readonly EventToStore[]) {
    const present = this.#streams.get(stream) ?? [];
    const revision = BigInt(present.length) - 1n;
    const repeated = present.find((event) => event.id === events[0]?.id);
    if (repeated) return { position: present.at(-1)!.position, revision };
    if (expected !== 'any' && revision !== (expected === 'no-stream' ? -1n : expected)) throw new RevisionConflict();
    events.forEach((event, n) => {
      // What went through JSON is what a real store gives back: no undefined, no prototypes.
      const copy = JSON.parse(JSON.stringify(event)) as EventToStore;
      const position = BigInt(this.#events.length + 1);
      const stored = { ...copy, stream, revision: revision + 1n + BigInt(n), position };
      this.#events.push(stored);
      present.push(stored);
    });
    this.#streams.set(stream, present);
    for (const wake of this.#wake) wake();
    return { position: this.#end(), revision: revision + BigInt(events.length) };
  }

  async read(stream: StreamName) {
    return [...(this.#streams.get(stream) ?? [])];
  }

  async tail(stream: StreamName, { before, maxCount }: { before?: bigint; maxCount: number }) {
    const events = await this.read(stream);
    return events
      .slice(0, before === undefined ? events.length : Number(before))
      .toReversed()
      .slice(0, maxCount);
  }

  async *subscribe({ after = 0n, maxBatch, signal }: { after?: bigint; maxBatch: number; signal?: AbortSignal }) {
    for (let next = Number(after); !signal?.aborted;) {
      const events = this.#events.slice(next, next + maxBatch);
      next += events.length;
      const live = next === this.#events.length;
      yield { events, position: BigInt(next), live } satisfies StoredBatch;
      if (live && !signal?.aborted) await this.#more(next, signal);
    }
  }

  async forwards({ after = 0n, maxCount }: { after?: bigint; maxCount: number }) {
    return this.#events.slice(Number(after), Number(after) + maxCount);
  }

  async backwards({ from, maxCount }: { from?: bigint; maxCount: number }) {
    const end = from === undefined ? this.#events.length : Math.min(Number(from) - 1, this.#events.length);
    return this.#events.slice(Math.max(0, end - maxCount), Math.max(0, end)).reverse();
  }

  async eventAt(position: bigint) {
    return this.#events[Number(position) - 1];
  }

  async head() {
    return this.#end();
  }

  async close() {}

  #end = () => BigInt(this.#events.length);

  #more(from: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        if (this.#events.length === from && !signal?.aborted) return;
        this.#wake.delete(done);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      this.#wake.add(done);
      signal?.addEventListener('abort', done, { once: true });
      done();
    });
  }
}
