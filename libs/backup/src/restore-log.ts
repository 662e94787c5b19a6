import { isMakulerError, MakulerError } from '#kernel';
import type { EventStore, Position } from '#ledger';
import type { ArchivedEvent } from './log-part.js';

/** Appends under way. They go through one connection, which keeps their order; the acknowledgements prove that it did. */
const IN_FLIGHT = 64;
/** Events of one stream that follow each other go together, as they were appended. */
const APPEND_EVENTS = 100;
/** Well below the 1 MiB that servers take at once (up to 25.0 by default): events that came one by one may be large. */
const APPEND_BYTES = 512 * 1024;
const APPEND_MS = 30_000;
const PAGE = 500;

export interface RestoredLog {
  /** Written now. */
  readonly appended: number;
  /** Found there: an earlier restore of the same set was interrupted. */
  readonly present: number;
}

/**
 * Appends the events of a set, in order, with their ids, data and metadata, to a store that is empty or holds a beginning of
 * them. Throws `restore-not-empty` for one that holds anything else, `store-unavailable` when it goes away: run again, it
 * goes on where it was. Nobody else may write to the store meanwhile.
 */
export const restoreLog = async (
  store: EventStore,
  events: AsyncIterable<readonly ArchivedEvent[]>,
  progress: (events: number) => void = () => undefined,
): Promise<RestoredLog> => {
  const there = new Present(store);
  const appending = new Appending(store);
  try {
    for await (const batch of events) {
      const missing = await there.behind(batch);
      for (const append of appendsOf(missing)) await appending.send(append);
      progress(there.count + appending.count);
    }
    await there.assertEnd();
  } finally {
    await appending.settled();
  }
  await appending.end();
  return { appended: appending.count, present: there.count };
};

/** What the store holds already, compared with the set event by event. */
class Present {
  count = 0;
  #after: Position | undefined;
  #ahead: readonly { readonly id: string; readonly stream: string; readonly revision: bigint }[] = [];
  #over = false;

  constructor(private readonly store: EventStore) {}

  /** The events of a batch that the store does not hold yet. */
  async behind(batch: readonly ArchivedEvent[]): Promise<readonly ArchivedEvent[]> {
    for (const [index, event] of batch.entries()) {
      const there = await this.#next();
      if (!there) return batch.slice(index);
      if (there.id !== event.id || there.stream !== event.stream || there.revision !== event.revision)
        throw another('it holds other events, or the same in another order');
      this.count++;
    }
    return [];
  }

  async assertEnd(): Promise<void> {
    if (await this.#next()) throw another('it goes on behind the end of the set');
  }

  async #next() {
    // From the first event that was missing on, what comes is what is being appended now.
    if (this.#over) return undefined;
    if (this.#ahead.length === 0) {
      const page = await this.store.forwards({
        ...(this.#after === undefined ? {} : { after: this.#after }),
        maxCount: PAGE,
      });
      this.#after = page.at(-1)?.position ?? this.#after;
      this.#ahead = page;
    }
    const [next, ...rest] = this.#ahead;
    this.#ahead = rest;
    this.#over = next === undefined;
    return next;
  }
}

/** Appends that are on their way, and whether they landed in the order in which they were sent. */
class Appending {
  count = 0;
  readonly #underWay: Promise<Position>[] = [];
  #last: Position = -1n;

  constructor(private readonly store: EventStore) {}

  /** Resolves when there is room for the next. */
  async send(events: readonly ArchivedEvent[]): Promise<void> {
    const [{ stream, revision }] = events as readonly [ArchivedEvent, ...ArchivedEvent[]];
    const expected = revision === 0n ? 'no-stream' : revision - 1n;
    const stored = events.map(({ id, type, data, metadata }) => ({ id, type, data, metadata }));
    const landing = this.store.append(stream, expected, stored, APPEND_MS).then(({ position }) => position);
    landing.catch(() => undefined);
    this.#underWay.push(landing);
    // The first one alone: the vendor's client (6.2.1) opens its stream with it, and the next would overtake it there.
    if (this.count === 0 || this.#underWay.length >= IN_FLIGHT) await this.#landed();
    this.count += events.length;
  }

  /** Throws what kept one from landing. */
  async end(): Promise<void> {
    while (this.#underWay.length > 0) await this.#landed();
  }

  /** Never rejects: after a failure nothing may be still on its way when the caller begins anew. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  async #landed(): Promise<void> {
    const position = await this.#underWay.shift()!.catch((error: unknown) => {
      throw isMakulerError(error, 'conflict') ? another('somebody else writes to it') : error;
    });
    if (position <= this.#last) throw another('it did not keep the order of appends: restore into an empty one again');
    this.#last = position;
  }
}

const appendsOf = (events: readonly ArchivedEvent[]): readonly (readonly ArchivedEvent[])[] => {
  const appends: ArchivedEvent[][] = [];
  let bytes = 0;
  for (const event of events) {
    const open = appends.at(-1);
    const size = sizeOf(event);
    bytes += size;
    if (open && open[0]!.stream === event.stream && open.length < APPEND_EVENTS && bytes <= APPEND_BYTES) {
      open.push(event);
      continue;
    }
    appends.push([event]);
    bytes = size;
  }
  return appends;
};

/** As a server counts it: data, metadata, and the type twice over. */
const sizeOf = ({ type, data, metadata }: ArchivedEvent): number =>
  Buffer.byteLength(JSON.stringify(data)) + Buffer.byteLength(JSON.stringify(metadata)) + 2 * type.length;

const another = (why: string): MakulerError =>
  new MakulerError('restore-not-empty', { detail: `The event store is not one to restore into: ${why}.` });
