import type { OwnerRef, ScopeId } from '#kernel';
import { MakulerError } from '#kernel';
import { newKey, wipe } from '../aead.js';
import type { BucketKeys, ScopeRecord } from './wrap.js';
import { bucketKeys, openScope, openTombstone, unwrap, wrap } from './wrap.js';

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
/** A row of `scope`. */
export interface ScopeRow {
  readonly scope_id: ScopeId;
  readonly bucket_id: string | null;
  readonly state: 'live' | 'expired' | 'erased';
  readonly identity: Buffer | null;
  readonly sealed: Buffer | null;
}

/** A scope row, opened. `dataKey` only of a live one; the caller wipes it. */
export type OpenedScope =
  | { readonly state: 'live'; readonly record: ScopeRecord; readonly dataKey: Uint8Array }
  | { readonly state: 'expired'; readonly record: ScopeRecord }
  | { readonly state: 'erased' };

export const ownerKey = (owner: OwnerRef): string => `${owner.kind}:${owner.id}`;

const damaged = (what: string) =>
  new MakulerError('key-damaged', { detail: `A ${what} of the vault does not authenticate.` });

/** Bucket keys in memory, by bucket and generation; opened under the epoch key when first needed. */
export class BucketKeyring {
  readonly #held = new Map<string, { generation: number; keys: BucketKeys }>();
  #wiped = false;

  constructor(
    private readonly installation: string,
    private readonly epoch: number,
    private readonly epochKey: Uint8Array,
  ) {}

  /** A fresh bucket key, wrapped for its row. */
  create(bucketId: string): BucketRow {
    this.#assertHeld();
    const bucketKey = newKey();
    const wrapped = wrap('bucket-key', this.epochKey, bucketKey, this.#place(bucketId, 1, this.epoch));
    wipe(bucketKey);
    return { bucket_id: bucketId, generation: 1, epoch: this.epoch, wrapped };
  }

  /** The keys of a bucket's generation. Throws `key-damaged`: a bucket key that does not open is never a shredded one. */
  keysOf(row: BucketRow): BucketKeys {
    this.#assertHeld();
    const held = this.#held.get(row.bucket_id);
    if (held?.generation === row.generation) return held.keys;
    const bucketKey = unwrap(
      'bucket-key',
      this.epochKey,
      row.wrapped,
      this.#place(row.bucket_id, row.generation, row.epoch),
    );
    if (!bucketKey) throw damaged('bucket key');
    const keys = bucketKeys(bucketKey);
    wipe(bucketKey);
    this.#held.set(row.bucket_id, { generation: row.generation, keys });
    return keys;
  }

  /**
   * What a scope's row says. The state column alone is never believed: a live or expired row must authenticate as just
   * that, so that a damaged or forged row throws `key-damaged` and is never read as shredded.
   */
  openScope(row: ScopeRow, bucket: BucketRow | undefined): OpenedScope {
    if (row.state === 'erased') return { state: 'erased' };
    if (!bucket || !row.sealed) throw damaged('key record');
    const place = { bucketId: bucket.bucket_id, generation: bucket.generation, scopeId: row.scope_id };
    const keys = this.keysOf(bucket);
    if (row.state === 'live') {
      const opened = openScope(keys, place, row.sealed);
      if (!opened) throw damaged('key record');
      return { state: 'live', ...opened };
    }
    const record = openTombstone(keys, place, row.sealed);
    if (!record) throw damaged('tombstone');
    return { state: 'expired', record };
  }

  /** Forgets and wipes everything, the epoch key included. */
  wipe(): void {
    this.#wiped = true;
    for (const { keys } of this.#held.values()) {
      wipe(keys.records);
      wipe(keys.identities);
    }
    this.#held.clear();
    wipe(this.epochKey);
  }

  /** Work that was under way when the gate closed must not go on with the zeros that the keys have become. */
  #assertHeld(): void {
    if (this.#wiped) throw new MakulerError('vault-unavailable', { detail: "The vault's gate was closed." });
  }

  #place(bucketId: string, generation: number, epoch: number): readonly (string | number)[] {
    return [this.installation, bucketId, generation, epoch];
  }
}
