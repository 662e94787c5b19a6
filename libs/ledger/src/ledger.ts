import type { Draft, EventType, Fields } from '#events';
import type {
  Appended,
  AppendCommand,
  Decider,
  Envelope,
  Position,
  RecordedEvent,
  ScopeOutcome,
  StreamName,
} from './types.js';
import type { EventId, Opened, ScopeId } from '#kernel';

/** An opened envelope: the sealed fields by name, and how each block read. */
export interface OpenedEnvelope {
  readonly fields: Readonly<Record<string, Opened<unknown>>>;
  readonly scopes: readonly ScopeOutcome[];
}

export interface Decided<S> extends Appended {
  /** The state after the decision. */
  readonly state: S;
  /** Events that were written; empty when the decision had nothing to say or a retry found its events in the log. */
  readonly written: number;
  readonly replayed: boolean;
}

/** Fields that a follower reads, by type of event. */
export type Opens = ReadonlyMap<string, ReadonlySet<string>>;

export interface SubscribeOptions {
  /** Starts after this position; absent: from the beginning. */
  readonly after?: Position;
  readonly maxBatch?: number;
  readonly signal?: AbortSignal;
  /**
   * For a follower that goes through the log once for a few fields: it is given events of these types only, of which nothing is
   * opened but the blocks that these fields lie in, and no key is kept for it. To read another field throws: what was left closed
   * is neither erased nor null. `scopes` names what was opened, without owners.
   */
  readonly opens?: Opens;
}
export interface Batch {
  readonly events: readonly RecordedEvent[];
  /** The last position considered (filtered events included): the checkpoint. */
  readonly position: Position;
  readonly live: boolean;
}

/**
 * The event log with sealing: drafts go in as plain data and stand in the log sealed per scope; events come out opened,
 * with four outcomes per personal field. Loading, sealing, expected revision and the bounded retry are here and nowhere else.
 * Must run inside `inContext` for writes. Errors: `vault-unavailable`, `store-unavailable`, `conflict`, `subject-closed`.
 */
export abstract class Ledger {
  abstract append(command: AppendCommand): Promise<Appended>;
  /**
   * Loads the stream, decides, appends; on a concurrent change loads and decides again, a bounded number of times. In a dry
   * run (`CommandContext.dryRun`) it decides and appends nothing: the state is the one before.
   */
  abstract decide<S>(
    decider: Decider<S>,
    stream: StreamName,
    decision: (state: S) => readonly Draft<any>[],
  ): Promise<Decided<S>>;
  /** Folds a stream; `undefined` revision when it does not exist. */
  abstract load<S>(
    decider: Decider<S>,
    stream: StreamName,
  ): Promise<{ state: S; revision: bigint | undefined; position: Position | undefined }>;
  abstract read(stream: StreamName): Promise<readonly RecordedEvent[]>;
  /** Up to `maxCount` events of a stream before a revision (before its end without one), the newest first; fewer only at its beginning. */
  abstract tail(
    stream: StreamName,
    options: { readonly before?: bigint; readonly maxCount: number },
  ): Promise<readonly RecordedEvent[]>;
  /** The newest event of one of these types in a stream, without reading what stands far before it. */
  abstract newest<F extends Fields>(
    stream: StreamName,
    types: readonly EventType<F>[],
  ): Promise<RecordedEvent<F> | undefined>;
  /**
   * Opens envelopes kept in read models, all keys in one call; remembers the scopes for the check before the answer leaves. With
   * `opens` only these fields, for whoever goes through very many: no key is kept, and what was left closed throws when it is read.
   */
  abstract open(envelopes: readonly Envelope[], opens?: Opens): Promise<readonly OpenedEnvelope[]>;
  /** What has become of keys, all in one call. Throws `vault-unavailable` and `scope-unknown`: neither is ever an answer. */
  abstract scopeStates(scopeIds: readonly ScopeId[]): Promise<ReadonlyMap<ScopeId, ScopeOutcome['state']>>;
  /** Everything in commit order, system events left out; one batch at a time, back-pressure by not asking. Ends on `signal`. */
  abstract subscribe(options: SubscribeOptions): AsyncIterable<Batch>;
  /** The id of the event at exactly this position, if there is one: ids are random, so it tells one log from another. */
  abstract eventIdAt(position: Position): Promise<EventId | undefined>;
  /** When the first event after a position was recorded (0n: the first of all), if there is one. Nothing is opened. */
  abstract recordedAfter(position: Position): Promise<Date | undefined>;
  /** The last position of the log, or 0n. */
  abstract head(): Promise<Position>;
  /** Runs a read; `assertCurrent` after it throws when anything opened in it was shredded since or the lease ran out. */
  abstract reading<T>(work: () => Promise<T>): Promise<T>;
  abstract assertCurrent(): void;
  abstract close(): Promise<void>;
}
