import { decide, type StreamState } from './decide.js';
import type { Append, Outcome, Place, StoredEvent } from './event.js';
import { idsFrom, placeKey, placesOf, revisionsOf, type Queryable } from './pages.js';
import type { Revisions } from './revisions.js';

/**
 * Appends that commit together. Each is decided on the log as it will be after those before it in the batch, so the outcomes are
 * those of one append after the other. Valid only while its owner is the one writer: nothing may change underneath it.
 */
export class Batch {
  readonly events: StoredEvent[] = [];
  readonly #outcomes: Outcome[] = [];
  readonly #written = new Map<string, StoredEvent[]>();
  readonly #places: Map<string, Place>;

  private constructor(
    private readonly database: Queryable,
    private readonly committed: ReadonlyMap<string, number>,
    places: Map<string, Place>,
    private readonly head: number,
  ) {
    this.#places = places;
  }

  /** Decides all the appends, in order; `head` is the position of the last event on disk. Rejects when the database fails. */
  static async of(
    appends: readonly Append[],
    database: Queryable,
    revisions: Revisions,
    head: number,
  ): Promise<{ events: readonly StoredEvent[]; outcomes: readonly Outcome[] }> {
    const committed = await committedRevisions(appends, database, revisions);
    const looked = appends.filter(
      ({ stream, expected }) =>
        (expected === 'any' || expected === 'stream_exists') && (committed.get(stream) ?? -1) >= 0,
    );
    const wanted = looked.flatMap(({ stream, events }) => events.map(({ id }) => ({ stream, id })));
    const places = wanted.length > 0 ? await placesOf(database, wanted) : new Map<string, Place>();
    const batch = new Batch(database, committed, places, head);
    for (const append of appends) batch.#outcomes.push(await batch.#take(append));
    return { events: batch.events, outcomes: batch.#outcomes };
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
      find: (id) => this.#places.get(placeKey(stream, id)),
      from: async (revision, count) => {
        const onDisk =
          revision <= this.#committedRevision(stream) ? await idsFrom(this.database, stream, revision, count) : [];
        const here = (this.#written.get(stream) ?? []).filter((event) => event.revision >= revision);
        return [...onDisk, ...here].slice(0, count);
      },
    };
  }
}

/** Last revisions of all streams that the appends look at; absent streams are left out. */
const committedRevisions = async (appends: readonly Append[], database: Queryable, known: Revisions) => {
  const streams = new Set<string>();
  for (const { stream, expected } of appends) {
    streams.add(stream);
    if (expected === 'stream_exists') streams.add(`$$${stream}`);
  }
  const committed = new Map<string, number>();
  const unknown: string[] = [];
  for (const stream of streams) {
    const revision = known.get(stream);
    if (revision === undefined) unknown.push(stream);
    else committed.set(stream, revision);
  }
  if (unknown.length > 0)
    for (const [stream, revision] of await revisionsOf(database, unknown)) committed.set(stream, revision);
  return committed;
};
