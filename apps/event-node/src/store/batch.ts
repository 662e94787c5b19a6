import { decide, type StreamState } from './decide.js';
import type { Append, Outcome, Place, StoredEvent } from './event.js';
import { idsFrom, placeKey, placesOf, revisionsOf, type Queryable } from './pages.js';
import type { Revisions } from './revisions.js';

/**
 * What a batch was decided on without asking: the insert itself finds out (`WriterSession.insert`), and writes nothing when it is not so.
 */
export interface Assumptions {
  /** Streams without events. */
  readonly absent: readonly string[];
  /** Events that do not stand in their stream. */
  readonly unseen: readonly { readonly stream: string; readonly id: string }[];
}

/** What a batch comes to: the events to be written, and an outcome for each append once they are. */
export interface Decided {
  readonly events: readonly StoredEvent[];
  readonly outcomes: readonly Outcome[];
  readonly assumptions: Assumptions;
}

/**
 * Appends that commit together. Each is decided on the log as it will be after those before it in the batch, so the outcomes are
 * those of one append after the other. Valid only while its owner is the one writer: nothing may change underneath it.
 */
export class Batch {
  readonly events: StoredEvent[] = [];
  readonly #outcomes: Outcome[] = [];
  readonly #written = new Map<string, StoredEvent[]>();
  readonly #places: Map<string, Place>;
  #repeats = false;

  private constructor(
    private readonly database: Queryable,
    private readonly committed: ReadonlyMap<string, number>,
    places: Map<string, Place>,
    private readonly head: number,
  ) {
    this.#places = places;
  }

  /**
   * Decides all the appends, in order; `head` is the position of the last event on disk. Nearly every append is of a new stream, or
   * of new events, so that is assumed, and asking for it is saved. Rejects when the database fails.
   */
  static async assuming(
    appends: readonly Append[],
    database: Queryable,
    revisions: Revisions,
    head: number,
  ): Promise<Decided> {
    const { known, unknown } = revisionsKnown(appends, revisions);
    const mayBeAbsent = new Set(appends.filter(({ expected }) => isNewOrAny(expected)).map(({ stream }) => stream));
    const absent = unknown.filter((stream) => mayBeAbsent.has(stream));
    const asked = unknown.filter((stream) => !mayBeAbsent.has(stream));
    if (asked.length > 0)
      for (const [stream, revision] of await revisionsOf(database, asked)) known.set(stream, revision);
    const unseen = lookingAtIds(appends, known).flatMap(({ stream, events }) =>
      events.slice(0, 1).map(({ id }) => ({ stream, id })),
    );
    const batch = new Batch(database, known, new Map(), head);
    await batch.#decide(appends);
    // One of them repeats another: its other events may stand anywhere.
    if (batch.#repeats) return Batch.asking(appends, database, revisions, head);
    return { events: batch.events, outcomes: batch.#outcomes, assumptions: { absent, unseen } };
  }

  /** The same, and nothing is assumed. */
  static async asking(
    appends: readonly Append[],
    database: Queryable,
    revisions: Revisions,
    head: number,
  ): Promise<Decided> {
    const { known, unknown } = revisionsKnown(appends, revisions);
    if (unknown.length > 0)
      for (const [stream, revision] of await revisionsOf(database, unknown)) known.set(stream, revision);
    const wanted = lookingAtIds(appends, known).flatMap(({ stream, events }) =>
      events.map(({ id }) => ({ stream, id })),
    );
    const places = wanted.length > 0 ? await placesOf(database, wanted) : new Map<string, Place>();
    const batch = new Batch(database, known, places, head);
    await batch.#decide(appends);
    return { events: batch.events, outcomes: batch.#outcomes, assumptions: { absent: [], unseen: [] } };
  }

  async #decide(appends: readonly Append[]): Promise<void> {
    for (const append of appends) this.#outcomes.push(await this.#take(append));
  }

  async #take(append: Append): Promise<Outcome> {
    // Checked here, after all waiting: a late append must not land after its client was told that it did not.
    if (performance.now() > append.deadline) return { kind: 'too-late' };
    const { stream, events } = append;
    const decision = await decide(
      append.expected,
      events.map(({ id }) => id),
      this.#stateOf(stream),
    );
    if (decision.kind === 'wrong-revision') return { kind: 'wrong-revision', current: this.#revisionOf(stream) };
    if (decision.kind === 'repeat') return { kind: 'committed', ...decision.place };
    for (const event of events) this.#write(stream, event);
    return { kind: 'committed', revision: this.#revisionOf(stream), position: this.head + this.events.length };
  }

  #write(stream: string, event: Append['events'][number]): void {
    const place = { revision: this.#revisionOf(stream) + 1, position: this.head + this.events.length + 1 };
    const stored: StoredEvent = { ...event, ...place, stream, created: Date.now() };
    this.events.push(stored);
    const written = this.#written.get(stream);
    if (written) written.push(stored);
    else this.#written.set(stream, [stored]);
    this.#places.set(placeKey(stream, event.id), place);
  }

  #committedRevision(stream: string): number {
    return this.committed.get(stream) ?? -1;
  }

  #revisionOf(stream: string): number {
    return this.#written.get(stream)?.at(-1)?.revision ?? this.#committedRevision(stream);
  }

  #stateOf(stream: string): StreamState {
    return {
      revision: this.#revisionOf(stream),
      hasMetadata: this.#revisionOf(`$$${stream}`) >= 0,
      find: (id) => {
        const place = this.#places.get(placeKey(stream, id));
        if (place) this.#repeats = true;
        return place;
      },
      from: async (revision, count) => {
        const onDisk =
          revision <= this.#committedRevision(stream) ? await idsFrom(this.database, stream, revision, count) : [];
        const here = (this.#written.get(stream) ?? []).filter((event) => event.revision >= revision);
        return [...onDisk, ...here].slice(0, count);
      },
    };
  }
}

const isNewOrAny = (expected: Append['expected']): boolean => expected === 'any' || expected === 'no_stream';

/** Appends whose outcome depends on where their events stand: only in a stream that exists. */
const lookingAtIds = (appends: readonly Append[], revisions: ReadonlyMap<string, number>) =>
  appends.filter(
    ({ stream, expected }) =>
      (expected === 'any' || expected === 'stream_exists') && (revisions.get(stream) ?? -1) >= 0,
  );

/** Last revisions of the streams that the appends look at, as far as they are known here. */
const revisionsKnown = (appends: readonly Append[], revisions: Revisions) => {
  const streams = new Set<string>();
  for (const { stream, expected } of appends) {
    streams.add(stream);
    if (expected === 'stream_exists') streams.add(`$$${stream}`);
  }
  const known = new Map<string, number>();
  const unknown: string[] = [];
  for (const stream of streams) {
    const revision = revisions.get(stream);
    if (revision === undefined) unknown.push(stream);
    else known.set(stream, revision);
  }
  return { known, unknown };
};
