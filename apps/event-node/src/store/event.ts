/** What a client wants to have written. */
export interface ProposedEvent {
  /** Lower-case UUID text. Not unique across the log: the same id may stand in two streams. */
  readonly id: string;
  readonly type: string;
  readonly json: boolean;
  readonly data: Buffer;
  readonly metadata: Buffer;
}

/** An event of the log. */
export interface StoredEvent extends ProposedEvent {
  /** Place in the whole log: 1, 2, 3 … in commit order, without holes. */
  readonly position: number;
  readonly stream: string;
  /** Place in its stream: 0, 1, 2 … */
  readonly revision: number;
  /** This node's clock at the write, milliseconds since the Unix epoch. */
  readonly created: number;
}

/** What must hold of a stream for an append to be written; a number is the revision of its last event. */
export type Expected = number | 'any' | 'no_stream' | 'stream_exists';

/** Where an event stands. */
export interface Place {
  readonly revision: number;
  readonly position: number;
}

/** One append, all or nothing. */
export interface Append {
  readonly stream: string;
  readonly expected: Expected;
  readonly events: readonly ProposedEvent[];
  /** On `performance.now()`'s clock, milliseconds: past it the append is not written any more. */
  readonly deadline: number;
}

export type Outcome =
  /** On disk. `revision` is -1 when nothing was written to an absent stream (an empty append). */
  | { readonly kind: 'committed'; readonly revision: number; readonly position: number }
  | { readonly kind: 'wrong-revision'; readonly current: number }
  /** Not written. */
  | { readonly kind: 'too-late' }
  /** The database failed: usually not written, but nobody knows. A repeat with the same ids and expectation finds out. */
  | { readonly kind: 'unavailable' };

/** Size of an event as the protocol counts it: data, custom metadata and the type in UTF-16. */
export const sizeOf = (event: ProposedEvent): number =>
  event.data.length + event.metadata.length + 2 * event.type.length;
