import type { OwnerRef, ScopeId } from '#kernel';

/** A scope as the vault knows it. A tombstone of an expired scope keeps owner, category and partition; an erased person's keeps nothing and is not listed. */
export interface ScopeInfo {
  readonly scopeId: ScopeId;
  readonly category: string;
  readonly partition: string;
  readonly stream: string;
  readonly state: 'live' | 'shredded';
}

export interface ShredOrder {
  /** Random id of the order: sending it again gives the first receipt. It is the journal entry's id. */
  readonly orderId: string;
  readonly owner: OwnerRef;
  readonly scopeIds: readonly ScopeId[];
  /** `erasure`: tombstones keep nothing but the id. `expiry`: they keep owner, category, partition, so that the fence holds. */
  readonly kind: 'erasure' | 'expiry';
}

export interface ShredReceipt {
  readonly orderId: string;
  /** SHA-256 of the destroyed data key under a domain label, hex; points to no scope. One per scope, in a random order of scopes within a category. */
  readonly destroyed: readonly { readonly category: string; readonly fingerprint: string }[];
  /** When every lease holder had confirmed the drop, or its lease had run out. RFC 3339. */
  readonly liveErasedAt: string;
}

/** Destroys keys. Only libs/erasure and libs/retention may import this file's entry point (`#vault/shredder`). */
export abstract class Shredder {
  /** Every scope of an owner that the vault can name, live and expired. */
  abstract scopesOf(owner: OwnerRef): Promise<readonly ScopeInfo[]>;

  /**
   * Closes an owner: no new scope and no new seal, except in the categories × partitions named. Resolves when every
   * lease holder has confirmed that no append under the owner's keys is under way, or one lease has been waited out.
   * Idempotent; a fence survives restarts. `release` opens it again (a plan given up before anything was shredded).
   */
  abstract fence(owner: OwnerRef, except: readonly { category: string; partition: string }[]): Promise<void>;
  abstract release(owner: OwnerRef): Promise<void>;

  /**
   * Throws `not-fenced` for an erasure of an owner who is open: a fence that was released takes its orders along.
   * Journal at the custodian (the point of no return), then tombstones and dirty marks in one transaction, then the notices.
   */
  abstract shred(order: ShredOrder): Promise<ShredReceipt>;

  /**
   * The receipt of an order that passed the point of no return (and is finished before this answers), or `undefined` for
   * one that never did. Whoever resumes after a crash asks this first: the shredded scopes are not listed any more.
   */
  abstract receiptOf(orderId: string): Promise<ShredReceipt | undefined>;

  /** The owner is gone for ever: empties what its tombstones still say and leaves one fence, joined to nothing. After the last scope is shredded. */
  abstract closeForEver(owner: OwnerRef): Promise<void>;
}
