import type { OwnerRef, ScopeId } from '#kernel';

/** A checkpoint of the log's hash chain as the log itself has it (`log.checkpointed`, docs/formats/checkpoint.md). */
export interface LogCheckpoint {
  /** Our own number of the last event that it covers, counted from 1 in commit order. */
  readonly sequence: number;
  /** Link of the hash chain over everything up to that event, hex. */
  readonly link: string;
  /** Where the log had that event: a hint, for a log that was moved has other positions. */
  readonly position: string;
  readonly at: string;
  readonly signature: string;
  readonly installation: string;
  /** What the vault said of itself before the checkpoint was appended. */
  readonly incarnation: string;
  readonly mintSequence: number;
  readonly custodianNumber: number;
  readonly epoch: number;
}

/** Somebody of whom the log says that keys were destroyed. */
export interface Forgot {
  readonly owner: OwnerRef;
  /** `erased`: the person was; `expired`: keys of this category reached the end of their time. */
  readonly kind: 'erased' | 'expired';
  /** How many keys of which category. */
  readonly keys: Readonly<Record<string, number>>;
  /** Our own number of the event. */
  readonly sequence: number;
}

/** What the log says about the vault that it was written with. */
export interface LogTestimony {
  /** The last checkpoints, newest first: two, and all down to the one before what was asked for. */
  readonly checkpoints: readonly LogCheckpoint[];
  /** Our own number of the log's last event, or 0 of an empty log. */
  readonly headSequence: number;
  /**
   * The incarnations that recent events name, the newest first, each with the highest count of keys that they name. Every
   * event before the second-last checkpoint was minted with a count that the last checkpoint covers.
   */
  readonly incarnations: ReadonlyMap<string, number>;
  /** Who was forgotten since the second-last checkpoint, or as far back as was asked for. */
  readonly forgot: readonly Forgot[];
}

/** A scope that a block of the log is sealed under, and the category of its stream: `customer`, `purchase`. */
export interface SealedScope {
  readonly scopeId: ScopeId;
  readonly stream: string;
}

/**
 * The event log as a witness: the vault asks it, before it serves anything, what it must have been when the log was written.
 * What is read of it are metadata and counts; the vault learns no event. Both methods throw `store-unavailable` while the
 * log can't be asked: the gate waits then, and refuses nothing.
 */
export abstract class LogWitness {
  /** Reads backwards to the second-last checkpoint, and further to one before `sequence`; for 0 all of the log. */
  abstract testify(sequence?: number): Promise<LogTestimony>;

  /** Every scope that any block of the log is sealed under, in bounded batches; one may come more than once. */
  abstract sealedScopes(): AsyncIterable<readonly SealedScope[]>;
}
