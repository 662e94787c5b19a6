import type { OwnerRef, ScopeId } from '#kernel';
import type { ScopeRecord } from './wrap.js';

/** A bucket closes at this many scopes, tombstones included: it bounds the work of one rotation. */
export const BUCKET_SCOPES = 1_000;
/** Owners in a bucket: enough that an old dump narrows nobody to a few, few enough to list an owner's scopes quickly. */
export const BUCKET_OWNERS = 32;

/** A row of `bucket`, as the columns are named. */
export interface BucketRow {
  readonly bucket_id: string;
  readonly generation: number;
  readonly epoch: number;
  readonly wrapped: Buffer;
}
/** A bucket under whose key nothing was ever shredded. */
export interface CleanBucketRow extends BucketRow {
  readonly dirty: false;
}
/** A row of `scope`. */
export interface ScopeRow {
  readonly scope_id: ScopeId;
  readonly bucket_id: string | null;
  readonly state: 'live' | 'expired' | 'erased' | 'lost';
  readonly identity: Buffer | null;
  readonly sealed: Buffer | null;
}

/** A scope row, opened. `dataKey` only of a live one; the caller wipes it. */
export type OpenedScope =
  | { readonly state: 'live'; readonly record: ScopeRecord; readonly dataKey: Uint8Array }
  | { readonly state: 'expired'; readonly record: ScopeRecord }
  | { readonly state: 'erased' }
  /** Two persons have accepted that no backup has it; never an erasure. */
  | { readonly state: 'lost' };

export const ownerKey = (owner: OwnerRef): string => `${owner.kind}:${owner.id}`;
