import type { ActorId, EventId, OwnerRef, ScopeId } from '#kernel';
import type { Draft, EventType, Fields, ReadData } from '#events';

/** A place in the log: commit order, strictly increasing, with gaps. Written as a decimal string outside the program. */
export type Position = bigint;

/** `<category>-<id>`, e.g. `customer-0190…`. ASCII; only random ids. */
export type StreamName = string;

/** What stands in clear beside every event, for ever. Holds random ids and codes only. */
export interface EventMetadata {
  readonly schemaVersion: number;
  /** Our clock, RFC 3339 UTC: retention and the hash chain use it, never the server's. */
  readonly recordedAt: string;
  readonly actor: ActorId;
  readonly purpose?: string;
  readonly policyVersion: string;
  /** The vault that made the keys; its count only where this append made some, so that no two streams share one. */
  readonly vault?: { readonly incarnation: string; readonly mintSequence?: number };
  readonly $correlationId: string;
  readonly $causationId: string;
}

/** The sealed part of one event with what it takes to open it elsewhere: read models keep it verbatim (JSON-safe). */
export interface Envelope {
  readonly eventId: EventId;
  readonly type: string;
  readonly version: number;
  readonly stream: StreamName;
  readonly sealed: Readonly<Record<ScopeId, string>>;
}

/** How one sealed block of an event read. owner, partition: only where the key lives, and not for who said what it `opens`. */
export interface ScopeOutcome {
  readonly scopeId: ScopeId;
  /** Owner slot of the declaration (`own`, `buyer`, …). */
  readonly slot: string;
  readonly category: string;
  readonly state: 'live' | 'shredded' | 'lost';
  readonly owner?: OwnerRef;
  readonly partition?: string;
}

export interface RecordedEvent<F extends Fields = Fields> {
  readonly eventId: EventId;
  readonly type: string;
  readonly stream: StreamName;
  readonly revision: bigint;
  readonly position: Position;
  /** recordedAt of the metadata. */
  readonly at: Date;
  readonly metadata: EventMetadata;
  readonly data: ReadData<F>;
  readonly envelope: Envelope;
  readonly scopes: readonly ScopeOutcome[];
}

/** Narrows an event to one declaration. */
export const isEvent = <F extends Fields>(event: RecordedEvent, type: EventType<F>): event is RecordedEvent<F> =>
  event.type === type.type;

/** A stream's state and how it grows. Pure: no clock, id, random or I/O, which is what makes the bounded retry safe. */
export interface Decider<S> {
  readonly initial: S;
  evolve(state: S, event: RecordedEvent): S;
  /**
   * An event after which the state is the same whatever came before: the stream is read back to the newest one, and no
   * further. Not for commands that may be sent again: what an earlier attempt wrote might stand before it.
   */
  readonly beginsWith?: EventType<any>;
}

export interface Appended {
  readonly position: Position;
  /** Revision of the last event. */
  readonly revision: bigint;
}

export type ExpectedRevision = bigint | 'no-stream' | 'any';

export interface AppendCommand {
  readonly stream: StreamName;
  readonly expected: ExpectedRevision;
  // eslint-disable-next-line -- drafts of different events stand together
  readonly drafts: readonly Draft<any>[];
}
