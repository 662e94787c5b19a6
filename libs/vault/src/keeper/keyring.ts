import type { ScopeId } from '#kernel';
import { MakulerError } from '#kernel';
import { newKey, wipe } from '../aead.js';
import type { BucketRow, CleanBucketRow, OpenedScope, ScopeRow } from './buckets.js';
import type { BucketKeys, ScopePlace, ScopeRecord } from './wrap.js';
import { bucketKeys, openRecord, openTombstone, scopeIn, unwrap, wrap } from './wrap.js';

const damaged = (what: string) =>
  new MakulerError('key-damaged', { detail: `A ${what} of the vault does not authenticate.` });

const placeOf = ({ bucket_id: bucketId, generation }: BucketRow, scopeId: ScopeId): ScopePlace => ({
  ...{ bucketId, generation, scopeId },
});

/** A bucket's next key: its row, and the keys that what lies in it is sealed with anew. */
export interface NextBucketKey {
  readonly row: BucketRow;
  readonly keys: BucketKeys;
}

/**
 * Epoch and bucket keys in memory. While a seal is under way it has the keys of two epochs. Bucket keys are held by bucket
 * and generation, opened under the epoch key when first needed.
 */
export class BucketKeyring {
  readonly #held = new Map<string, { generation: number; keys: BucketKeys }>();
  readonly #epochKeys: Map<number, Uint8Array>;
  #wiped = false;

  /** Takes the keys over. `current`: the epoch that new buckets are made under. */
  constructor(
    private readonly installation: string,
    epochKeys: ReadonlyMap<number, Uint8Array>,
    private epoch: number,
  ) {
    this.#epochKeys = new Map(epochKeys);
  }

  get current(): number {
    return this.epoch;
  }

  /**
   * New buckets are made under this epoch from now on. Called in the transaction that says so, while it holds the lock on the
   * vault's row: whoever makes a bucket must find its epoch there (see `writeMinted`), so none can be left in an old one.
   */
  beginEpoch(epoch: number, epochKey: Uint8Array): void {
    this.#assertHeld();
    this.#epochKeys.set(epoch, Uint8Array.from(epochKey));
    this.epoch = epoch;
  }
  /** Takes `beginEpoch` back: its transaction came to nothing. */
  undoEpoch(epoch: number, before: number): void {
    this.#forget(epoch);
    this.epoch = before;
  }
  /** Wipes the keys of all epochs before this one: no bucket lies under them any more. */
  endEpochsBefore(epoch: number): void {
    for (const earlier of [...this.#epochKeys.keys()]) if (earlier < epoch) this.#forget(earlier);
  }

  /** For a mirror that lacks the current epoch key's wrap. The copy is wiped by whoever asked. */
  copyOfEpochKey(epoch: number): Uint8Array {
    this.#assertHeld();
    return Uint8Array.from(this.#epochKeys.get(epoch)!);
  }

  /** A fresh bucket key, wrapped for its row. */
  create(bucketId: string): BucketRow {
    const { row, keys } = this.#fresh(bucketId, 1);
    // Nobody knows this bucket yet; should its transaction come to nothing, nobody ever will.
    this.#held.set(bucketId, { generation: 1, keys });
    return row;
  }

  /**
   * The bucket's next key, for its rotation. It is not held: a rotation that is rolled back and tried again makes another key
   * for the same generation, and only the one that was committed may ever be used.
   */
  next({ bucket_id: bucketId, generation }: BucketRow): NextBucketKey {
    return this.#fresh(bucketId, generation + 1);
  }

  /**
   * The same bucket key, wrapped under the current epoch's key. Only for a clean bucket: a key under which something was
   * shredded must never be wrapped under a later epoch, or an old copy of its records would open for as long as that one's
   * root exists. The caller holds the row's lock, under which alone a bucket becomes dirty.
   */
  rewrap(row: CleanBucketRow): BucketRow {
    if (row.dirty) throw new Error('a dirty bucket is rotated, never wrapped again');
    const bucketKey = this.#bucketKey(row);
    const wrapped = this.#wrap(bucketKey, row.bucket_id, row.generation);
    wipe(bucketKey);
    return { bucket_id: row.bucket_id, generation: row.generation, epoch: this.epoch, wrapped };
  }

  /**
   * Whether what this row says can be looked at now. Not when it was read before a seal ended and its epoch's key has been
   * wiped since: then it is read again, and is not damaged.
   */
  hasKeyFor({
    bucket_id: bucketId,
    generation,
    epoch,
  }: Pick<BucketRow, 'bucket_id' | 'generation' | 'epoch'>): boolean {
    return this.#held.get(bucketId)?.generation === generation || this.#epochKeys.has(epoch);
  }

  /** The keys of a bucket's generation. Throws `key-damaged`: a bucket key that does not open is never a shredded one. */
  keysOf(row: BucketRow): BucketKeys {
    this.#assertHeld();
    const held = this.#held.get(row.bucket_id);
    if (held?.generation === row.generation) return held.keys;
    const bucketKey = this.#bucketKey(row);
    const keys = bucketKeys(bucketKey);
    wipe(bucketKey);
    // A row that was read just before its rotation is still answered for, and does not take the place of the newer one.
    if (held && held.generation > row.generation) return keys;
    if (held) wipeBoth(held.keys);
    this.#held.set(row.bucket_id, { generation: row.generation, keys });
    return keys;
  }

  /**
   * What a scope's row says. The state column alone is never believed: a live or expired row must authenticate as just
   * that, so that a damaged or forged row throws `key-damaged` and is never read as shredded.
   */
  openScope(row: ScopeRow, bucket: BucketRow | undefined): OpenedScope {
    if (row.state === 'erased' || row.state === 'lost') return { state: row.state };
    if (!bucket || !row.sealed) throw damaged('key record');
    if (row.state === 'live') return { state: 'live', ...scopeIn(this.openRecord(row.scope_id, bucket, row.sealed)) };
    return { state: 'expired', record: this.openTombstone(row.scope_id, bucket, row.sealed) };
  }

  /** What a live scope's row holds, as it was sealed. Throws `key-damaged`. */
  openRecord(scopeId: ScopeId, bucket: BucketRow | undefined, sealed: Uint8Array): Uint8Array {
    const record = bucket && openRecord(this.keysOf(bucket), placeOf(bucket, scopeId), sealed);
    if (!record) throw damaged('key record');
    return record;
  }

  /** What an expired scope's row holds. Throws `key-damaged`. */
  openTombstone(scopeId: ScopeId, bucket: BucketRow | undefined, sealed: Uint8Array): ScopeRecord {
    const record = bucket && openTombstone(this.keysOf(bucket), placeOf(bucket, scopeId), sealed);
    if (!record) throw damaged('tombstone');
    return record;
  }

  /** Forgets and wipes everything, the epoch keys included. */
  wipe(): void {
    this.#wiped = true;
    for (const { keys } of this.#held.values()) wipeBoth(keys);
    this.#held.clear();
    for (const epoch of [...this.#epochKeys.keys()]) this.#forget(epoch);
  }

  #fresh(bucketId: string, generation: number): NextBucketKey {
    this.#assertHeld();
    const bucketKey = newKey();
    const wrapped = this.#wrap(bucketKey, bucketId, generation);
    const keys = bucketKeys(bucketKey);
    wipe(bucketKey);
    return { row: { bucket_id: bucketId, generation, epoch: this.epoch, wrapped }, keys };
  }

  #wrap(bucketKey: Uint8Array, bucketId: string, generation: number): Buffer {
    const place = this.#place(bucketId, generation, this.epoch);
    return wrap('bucket-key', this.#epochKeys.get(this.epoch)!, bucketKey, place);
  }

  #bucketKey(row: BucketRow): Uint8Array {
    this.#assertHeld();
    const epochKey = this.#epochKeys.get(row.epoch);
    const place = this.#place(row.bucket_id, row.generation, row.epoch);
    const bucketKey = epochKey && unwrap('bucket-key', epochKey, row.wrapped, place);
    if (!bucketKey) throw damaged('bucket key');
    return bucketKey;
  }

  #forget(epoch: number): void {
    const epochKey = this.#epochKeys.get(epoch);
    this.#epochKeys.delete(epoch);
    if (epochKey) wipe(epochKey);
  }

  /** Work that was under way when the gate closed must not go on with the zeros that the keys have become. */
  #assertHeld(): void {
    if (this.#wiped) throw new MakulerError('vault-unavailable', { detail: "The vault's gate was closed." });
  }

  #place(bucketId: string, generation: number, epoch: number): readonly (string | number)[] {
    return [this.installation, bucketId, generation, epoch];
  }
}

const wipeBoth = (keys: BucketKeys): void => {
  wipe(keys.records);
  wipe(keys.identities);
};
