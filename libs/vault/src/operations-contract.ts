/** What a seal did. */
export interface SealReport {
  /** The epoch that new buckets are made under from now on. */
  readonly epoch: number;
  /** `false` when nothing had been shredded since the last seal (and none was forced): then nothing was changed. */
  readonly sealed: boolean;
  /** Buckets that got a fresh key, because a key had been shredded under the old one. */
  readonly rotated: number;
  /** Buckets whose key was wrapped anew, and is otherwise the same. */
  readonly rewrapped: number;
  /** When the roots of the epoch before are destroyed, RFC 3339. `undefined` when nothing was sealed. */
  readonly destroyAt: string | undefined;
}

/** What a round of destroying roots did. */
export interface DestructionReport {
  /** Epochs whose last root is gone since this round: every enrolled mirror has confirmed. */
  readonly destroyed: readonly number[];
  /** Epochs that are due and whose root may still exist, at the mirrors named. The job asks again until there are none. */
  readonly outstanding: readonly { readonly epoch: number; readonly mirrors: readonly string[] }[];
}

/** A sealed epoch whose roots may still exist: until they are gone, old copies of the vault open under them. */
export interface RetiringEpoch {
  readonly epoch: number;
  /** RFC 3339. */
  readonly sealedAt: string;
  /** RFC 3339. Planned; nothing is destroyed before it. */
  readonly destroyAt: string;
  /** Names of the mirrors that have not confirmed the destruction. */
  readonly outstanding: readonly string[];
}

export interface EpochsReport {
  readonly current: number;
  /** RFC 3339. */
  readonly openedAt: string;
  /** Whether something was shredded since the last seal, or a seal is unfinished: then the next planned one has something to do. */
  readonly sealNeeded: boolean;
  /** From when on a planned seal is due, RFC 3339: it may lie in the past, when nothing was shredded since. */
  readonly sealDueAt: string;
  /** By when the next seal is planned, RFC 3339: planned dates of clearing count from here. */
  readonly nextSealAt: string;
  /** Whether a seal is under way: buckets of two epochs exist meanwhile. */
  readonly sealing: boolean;
  /** Sealed epochs, the oldest first. */
  readonly retiring: readonly RetiringEpoch[];
  /**
   * Epochs whose roots went with a custodian that was lost, as two persons accepted. Nobody has seen those destroyed: a mirror
   * that is found again has them, and what lay under them is never said to be cleared.
   */
  readonly lost: readonly number[];
}

/** When no copy of the vault can yield the keys of a shred order any more. */
export interface Clearing {
  /** The highest epoch that ever wrapped a key which the order's keys lay under. */
  readonly epoch: number;
  /** RFC 3339. When the last root that could open a copy is to be destroyed; exact once the epoch is sealed, and until then counted from the next planned seal. */
  readonly plannedFor: string;
  /** RFC 3339. When every mirror had confirmed the destruction of every root up to that epoch; `undefined` until then. */
  readonly clearedAt: string | undefined;
  /** How many mirrors are enrolled: so many have confirmed once it is cleared, and were asked until then. */
  readonly mirrors: number;
}

/** A mirror of the custodian. */
export interface MirrorReport {
  /** `undefined` for a place that is configured and whose id can't be read. */
  readonly id: string | undefined;
  /** Where it is, for people. */
  readonly name: string;
  /** Only a `present` one counts; a `joining` one is being brought up to date. */
  readonly standing: 'present' | 'joining' | 'away';
  /** Why it is away, as a word and as a sentence that says what to do. */
  readonly reason: string | undefined;
  readonly message: string | undefined;
  /** Epochs whose root it holds, as far as it can be read. */
  readonly roots: readonly number[];
}

/**
 * What administers the vault: epochs and what builds on them. Every method throws `vault-unavailable` when the vault can't
 * be asked: ask again. Only libraries that run operations may import this file's entry point (`#vault/operations`).
 */
export abstract class VaultOperations {
  /**
   * Opens the next epoch and moves every key that lives into it, so that old copies of the vault die with the old roots.
   * Does nothing when nothing was shredded since the last seal, unless forced. A second call while one is under way waits
   * for it and gets its report; one that a crash interrupted is finished by the vault's next start, or by the next call.
   */
  abstract sealEpoch(options?: { readonly force?: boolean }): Promise<SealReport>;

  /**
   * Destroys the roots of every sealed epoch that is due by the vault's clock. The caller has asked the clock guard first.
   * Like a seal it throws `clock-implausible` when the vault's clock is more than an hour from the caller's.
   * Safe to repeat; a mirror that is away is reported as outstanding, never as done.
   */
  abstract destroyRoots(): Promise<DestructionReport>;

  abstract epochs(): Promise<EpochsReport>;

  /**
   * `undefined` for an order that the vault knows nothing of. `knownEpoch` is the epoch of an earlier answer, for whoever has
   * kept it: a restored vault may have lost the receipt, and what it then says is never earlier than what it said before.
   */
  abstract clearing(orderId: string, knownEpoch?: number): Promise<Clearing | undefined>;

  /** All mirrors that are enrolled or configured, read now. Answers behind a closed gate too. */
  abstract mirrors(): Promise<readonly MirrorReport[]>;

  /**
   * Enrols a new mirror at a place (an absolute directory or a `pkcs11:` URI) and answers its id. Safe to repeat. Throws
   * `mirror-unfit` for a place that holds something else, can't be used, or lies inside the home.
   */
  abstract addMirror(place: string): Promise<string>;

  /**
   * Takes a mirror out for good: its confirmations are no longer waited for, its roots are destroyed as soon as it can be
   * reached. The caller has made sure that two persons want it. Safe to repeat. Throws `mirror-last`, `mirror-unknown`.
   */
  abstract retireMirror(id: string): Promise<void>;

  /**
   * Brings back a mirror that does not come back by itself: damaged, of a wrong root, or a fork, whose journal is united with
   * the others' and applied before anything is served again. Answers behind a closed gate too. Throws `mirror-unknown`,
   * `mirror-unfit` for one that is not there.
   */
  abstract repairMirror(id: string): Promise<void>;
}
