import type { Doubt } from '../recovery-contract.js';

/** What a copy of the vault must have reached for the log to be readable with it: which backup would do. */
export interface Demands {
  /** The life of the database that made the newest keys of the log; a backup that descends from it knows it. */
  readonly incarnation: string | undefined;
  /** Keys made in that life at least. */
  readonly mintSequence: number;
  /** The oldest epoch of which a root survives: no copy from before it opens. */
  readonly epoch: number;
}

/** Events that the log has lost, by our own sequence numbers, first and last. */
export interface MissingEvents {
  readonly from: number;
  readonly to: number;
}

/** States in which the vault runs, serves nothing, and takes the operations that lead out. */
export type ClosedWithWayOut = 'stale' | 'behind' | 'lost' | 'database-empty' | 'stepped-back' | 'forked';

/** A refusal for people: what was found, and what to do. */
export interface Refused {
  readonly state: ClosedWithWayOut;
  /** Sentences for an operator. Counts, places and ids of incarnations; no value. */
  readonly why: string;
  readonly wayOut: string;
  readonly demands?: Demands;
  readonly missing?: MissingEvents;
  readonly doubt?: Doubt;
  /** Whether an operator and an approver may accept what is lost instead. */
  readonly acceptable: boolean;
}

/** What the reconciliation at the vault's start found. Only `consistent` and `reconciled` serve. */
export type GateState =
  | { readonly state: 'opening' }
  /** Another vault is active on the database; this one serves nothing, and takes over when that one is gone. */
  | { readonly state: 'standby'; readonly why: string }
  | { readonly state: 'consistent' }
  /** Shreds of the journal whose tombstones were missing were applied again before anything was served. */
  | { readonly state: 'reconciled'; readonly applied: number }
  /** The database, the custodian or the log can't be reached; the vault goes on when they can, after reconciling anew. */
  | { readonly state: 'closed'; readonly why: string }
  | Refused;

export type RefusalReason =
  /** The custodian or the log belongs to another installation than the database. */
  | 'foreign'
  /** A mirror's root does not open the epoch key. */
  | 'wrong-root'
  /** Two mirrors went on from one state in two ways. */
  | 'fork'
  /** A mirror, or what one should hold, is not where it was said to be. */
  | 'custodian-missing'
  /** No mirror is left: without a root nothing that was sealed can be read, and that is no erasure. */
  | 'custodian-lost'
  | 'custodian-damaged'
  /** The place is not fit to hold roots: inside the home, or readable by others. */
  | 'custodian-exposed'
  /** The custodian knows an installation, and the database is empty. */
  | 'database-empty'
  /** The database under a running vault was replaced by an earlier one. */
  | 'stepped-back';

/** The vault refuses to run, and says why and what would help. Nothing was changed, and nothing reads as erased. */
export class GateRefusal extends Error {
  override readonly name = 'GateRefusal';
  constructor(
    readonly reason: RefusalReason,
    message: string,
  ) {
    super(message);
  }
}

/** A custodian that can't be read now may be a volume that comes back. */
export const isPassing = ({ reason }: GateRefusal): boolean => reason === 'custodian-missing';
