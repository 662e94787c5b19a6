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

/** Closes an owner for one order, which alone may shred behind this fence. */
export interface FenceOrder extends Pick<ShredOrder, 'orderId' | 'owner' | 'kind'> {
  /** What stays open behind an erasure's fence. An owner of whom something was erased already is closed altogether meanwhile. */
  readonly except: readonly { readonly category: string; readonly partition: string }[];
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
   * Idempotent; a fence survives restarts. An order that has its receipt fences nothing any more. An erasure takes the
   * fence over from whatever order it is up for; an expiry throws `erasure-in-progress` instead.
   */
  abstract fence(order: FenceOrder): Promise<void>;

  /**
   * Takes down the fence of this order; one that is up for another order, or for none, stays. What an erasure has closed by
   * shredding stays closed but for its exceptions.
   */
  abstract release(owner: OwnerRef, orderId: string): Promise<void>;

  /**
   * Throws `not-fenced` unless the owner's fence is up for this very order: a worker that was stopped and woke up may hold
   * scopes that were counted for an order which another worker has given up since. An order without scopes is carried out
   * too: whoever sends it again with some destroys nothing.
   * Journal at the custodian (the point of no return), then tombstones and dirty marks in one transaction, then the notices.
   */
  abstract shred(order: ShredOrder): Promise<ShredReceipt>;

  /**
   * The receipt of an order that passed the point of no return (and is finished before this answers), or `undefined` for
   * one that never did. Whoever resumes after a crash asks this first: the shredded scopes are not listed any more.
   */
  abstract receiptOf(orderId: string): Promise<ShredReceipt | undefined>;

  /**
   * The owner is gone for ever: empties what its tombstones still say and leaves one fence, joined to nothing. After the last
   * scope is shredded, by the order given: what is emptied is cleared from old copies of the vault with what it destroyed.
   */
  abstract closeForEver(owner: OwnerRef, orderId: string): Promise<void>;
}
