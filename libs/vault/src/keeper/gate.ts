/**
 * What the reconciliation at the vault's start found. The finer states (stale, behind, lost) join this union with the
 * backups; each of them refuses to serve.
 */
export type GateState =
  | { readonly state: 'opening' }
  | { readonly state: 'consistent' }
  /** Shreds of the journal whose tombstones were missing were applied again before anything was served. */
  | { readonly state: 'reconciled'; readonly applied: number }
  /** The database or the custodian can't be reached; the vault goes on when they can, after reconciling anew. */
  | { readonly state: 'closed'; readonly why: string };

export type RefusalReason =
  /** The custodian belongs to another installation than the database. */
  | 'foreign'
  /** A mirror's root does not open the epoch key. */
  | 'wrong-root'
  /** Two mirrors went on from one state in two ways. */
  | 'fork'
  | 'custodian-missing'
  | 'custodian-damaged'
  /** The place is not fit to hold roots: inside the home, or readable by others. */
  | 'custodian-exposed'
  /** The custodian knows an installation, and the database is empty. */
  | 'database-empty'
  /** The database under a running vault was replaced by an earlier one. */
  | 'stepped-back'
  /** Another vault is active on this database. */
  | 'not-active';

/** The vault refuses to serve, and says why and what would help. Nothing was changed, and nothing reads as erased. */
export class GateRefusal extends Error {
  override readonly name = 'GateRefusal';
  constructor(
    readonly reason: RefusalReason,
    message: string,
  ) {
    super(message);
  }
}
