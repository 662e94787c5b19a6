import type { EventId } from '#kernel';
import { MakulerError } from '#kernel';
import type { ExpectedRevision, Position, StreamName } from './types.js';

/** An event as it goes into the log: sealed, in clear only what may stand there for ever. */
export interface EventToStore {
  readonly id: EventId;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** An event as the log gives it back, still sealed. */
export interface StoredEvent extends EventToStore {
  readonly stream: StreamName;
  readonly revision: bigint;
  readonly position: Position;
}

export interface StoredBatch {
  readonly events: readonly StoredEvent[];
  /** The last position considered, of filtered events too. */
  readonly position: Position;
  readonly live: boolean;
}

/** Somebody else appended first. `decide` catches it and decides again; elsewhere it is what it says: `conflict`. */
export class RevisionConflict extends MakulerError {
  constructor() {
    super('conflict', { retryAfterSeconds: 1 });
  }
}

/**
 * An append-only store of sealed events: the EventStoreDB protocol in the product, memory in `libs/testing`. Its errors are
 * ours already: `store-unavailable`, `payload-too-large`, RevisionConflict.
 */
export abstract class EventStore {
  /**
   * Appends all or none. The server gives up after `deadlineMs`, so that nothing lands later than that. Appending the same
   * ids again at the same place succeeds and writes nothing.
   */
  abstract append(
    stream: StreamName,
    expected: ExpectedRevision,
    events: readonly EventToStore[],
    deadlineMs: number,
  ): Promise<{ position: Position; revision: bigint }>;
  /** The events of a stream in order; none when there is no such stream. */
  abstract read(stream: StreamName): Promise<readonly StoredEvent[]>;
  /** Up to `maxCount` events of a stream before a revision (before its end without one), the newest first; fewer only at its beginning. */
  abstract tail(stream: StreamName, options: { before?: bigint; maxCount: number }): Promise<readonly StoredEvent[]>;
  /** Everything in commit order after a position, system events left out; ends when `signal` says so. */
  abstract subscribe(options: { after?: Position; maxBatch: number; signal?: AbortSignal }): AsyncIterable<StoredBatch>;
  /** Up to `maxCount` events after a position, in commit order, system events left out; fewer only at the end of the log. */
  abstract forwards(options: { after?: Position; maxCount: number }): Promise<readonly StoredEvent[]>;
  /**
   * Up to `maxCount` events before a position (before the end without one), the newest first, system events left out; fewer
   * only at the beginning of the log.
   */
  abstract backwards(options: { from?: Position; maxCount: number }): Promise<readonly StoredEvent[]>;
  /** The event at exactly this position, if there is one. */
  abstract eventAt(position: Position): Promise<StoredEvent | undefined>;
  /** Position of the last event that is no system event, or 0n. */
  abstract head(): Promise<Position>;
  abstract close(): Promise<void>;
}
