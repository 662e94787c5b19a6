import type { OwnerRef } from '#kernel';

/** How the vault's gate stands. */
export interface GateReport {
  /** Whether keys can be had. */
  readonly serving: boolean;
  /** `consistent`, `reconciled`, `opening`, `closed`, `stale`, `behind`, `lost`, `database-empty`, `stepped-back`. */
  readonly state: string;
  /** Of a closed gate: what was found, and what an operator can do. Sentences without any value; empty otherwise. */
  readonly why: string;
  readonly wayOut: string;
  /** Keys by state, and buckets to be rotated by the next seal; zeros behind a gate that was never open. */
  readonly keys: { readonly live: number; readonly expired: number; readonly erased: number };
  readonly dirtyBuckets: number;
}

/**
 * What two persons take upon themselves beside the loss, because no program can tell. `possible-tampering`: the log is not
 * the one that the custodian witnessed; it was restored and has grown since, or somebody changed it. `older-custodian`: every
 * mirror is an older copy, and the vault's own tombstones take the place of the journal that is gone.
 */
export type Doubt = 'possible-tampering' | 'older-custodian';

/** What would read as lost from then on. Counts only. */
export interface LossReport {
  /** SHA-256, hex, over exactly what is lost: whoever accepts names it. */
  readonly hash: string;
  /** Keys that the log names and that no copy here has or opens, by the kind of stream: `customer`, `purchase`. */
  readonly scopes: Readonly<Record<string, number>>;
  /**
   * Events that the log has lost, by our own sequence numbers, first and last; with `possible-tampering`, those that are not
   * what was witnessed, at least from the first to the last of them.
   */
  readonly missingEvents: { readonly from: number; readonly to: number } | undefined;
  readonly doubt: Doubt | undefined;
}

/** Shreds that a start applied again, and that the log may not know of. */
export interface Reconciliation {
  /** A random id: recorded once. */
  readonly id: string;
  readonly applied: number;
}

/** Somebody of whom shreds were applied again. */
export interface Reapplied {
  readonly owner: OwnerRef;
  /** Erased as a person; otherwise something of theirs expired. */
  readonly erased: boolean;
  /** Categories of which they still have keys. */
  readonly retained: readonly string[];
  /** How many keys of which category have expired, all told. Of an erased one only those that are still listed. */
  readonly expired: Readonly<Record<string, number>>;
}

/**
 * What leads out of a closed gate, and what is to be recorded once it is open again. Every method throws `vault-unavailable`
 * when the vault can't be asked. Part of the entry point `#vault/operations`.
 */
export abstract class VaultRecovery {
  /** Answers behind a closed gate too. */
  abstract gate(): Promise<GateReport>;

  /**
   * What is lost if nothing better turns up: reads the whole log, which takes a while, and changes nothing. Throws
   * `nothing-lost` unless the gate is closed for something that may be accepted.
   */
  abstract losses(): Promise<LossReport>;

  /**
   * Accepts what `losses` named by this hash: those keys read as lost from then on, never as erased; the vault begins another
   * life, with new roots if none opens anything, and the gate opens. Two persons have agreed to it. Said again, it gives the
   * same answer. Throws `plan-changed` when something else is lost by now, and `nothing-lost`.
   */
  abstract acceptLosses(hash: string): Promise<LossReport>;

  /** What has not been recorded yet. */
  abstract reapplied(): Promise<{
    readonly reconciliations: readonly Reconciliation[];
    readonly owners: readonly Reapplied[];
  }>;

  /** Recorded in the log: is not told again. */
  abstract recorded(done: {
    readonly reconciliations: readonly string[];
    readonly owners: readonly OwnerRef[];
  }): Promise<void>;
}
