import type { OwnerRef, ScopeId } from '#kernel';
import { isMakulerError } from '#kernel';
import type { PoolClient } from '#postgres';
import { wipe } from '../../aead.js';
import type { BucketRow, CleanBucketRow, ScopeRow } from '../buckets.js';
import type { BucketKeyring, NextBucketKey } from '../keyring.js';
import type { OwnerRow } from '../owners.js';
import { exceptionsOf, sealExceptions } from '../owners.js';
import { scopeIdentity, sealScope, sealTombstone } from '../wrap.js';

/** Clean buckets that are wrapped anew in one transaction: their rows are locked for as long as it takes, a few milliseconds. */
const BATCH = 250;

export interface Rewrapped {
  readonly moved: number;
  /** Buckets whose key does not authenticate; they stay where they are. */
  readonly damaged: readonly string[];
}

/**
 * Moves clean buckets of earlier epochs into the current one: the same bucket key, wrapped anew. `without` are left alone.
 * A bucket that becomes dirty meanwhile is not among them: the lock is waited for, and then the row is looked at again.
 */
export const rewrapSome = async (
  client: PoolClient,
  keyring: BucketKeyring,
  without: readonly string[],
): Promise<Rewrapped> => {
  const { rows } = await client.query<CleanBucketRow>(
    `select bucket_id, generation, epoch, wrapped, dirty from bucket
     where epoch < $1 and not dirty and bucket_id <> all($2::uuid[]) order by bucket_id limit $3 for update`,
    [keyring.current, without, BATCH],
  );
  const damaged: string[] = [];
  const moved = rows.flatMap((row) => {
    try {
      return [keyring.rewrap(row)];
    } catch (error) {
      if (!isMakulerError(error, 'key-damaged')) throw error;
      damaged.push(row.bucket_id);
      return [];
    }
  });
  await storeRewrapped(client, moved);
  return { moved: moved.length, damaged };
};

const storeRewrapped = async (client: PoolClient, rows: readonly BucketRow[]): Promise<void> => {
  await client.query(
    `update bucket set wrapped = n.wrapped, epoch = n.epoch from unnest($1::uuid[], $2::int[], $3::int[], $4::bytea[]) as n(id, generation, epoch, wrapped)
     where bucket_id = n.id and bucket.generation = n.generation and not dirty`,
    [
      rows.map(({ bucket_id: id }) => id),
      rows.map(({ generation }) => generation),
      rows.map(({ epoch }) => epoch),
      rows.map(({ wrapped }) => wrapped),
    ],
  );
};

/**
 * Moves one bucket into the current epoch, whatever it is by now: `rotated` when something was shredded under its key,
 * `rewrapped` when nothing was, `undefined` when there is nothing to do. Throws `key-damaged`: then nothing was changed.
 */
export const moveBucket = async (
  client: PoolClient,
  keyring: BucketKeyring,
  bucketId: string,
): Promise<'rotated' | 'rewrapped' | undefined> => {
  // Owners before buckets before scopes, as everybody locks.
  const locked = await lockExcepted(client, bucketId);
  const { rows } = await client.query<BucketRow & { dirty: boolean }>(
    'select bucket_id, generation, epoch, wrapped, dirty from bucket where bucket_id = $1 and epoch < $2 for update',
    [bucketId, keyring.current],
  );
  const [bucket] = rows;
  if (!bucket) return undefined;
  if (!bucket.dirty) {
    await storeRewrapped(client, [keyring.rewrap({ ...bucket, dirty: false })]);
    return 'rewrapped';
  }
  const next = keyring.next(bucket);
  await resealScopes(client, keyring, bucket, next);
  await resealExceptions(client, keyring, bucket, next, locked);
  // `dirty` is cleared here and nowhere else, by the transaction that has rotated the key, under the row's lock: whatever
  // else cleared it (a job, a time stamp) would let a key under which something was shredded live on in a later epoch.
  await client.query(
    'update bucket set generation = $2, epoch = $3, wrapped = $4, dirty = false where bucket_id = $1',
    [bucketId, next.row.generation, next.row.epoch, next.row.wrapped],
  );
  wipe(next.keys.records);
  wipe(next.keys.identities);
  return 'rotated';
};

/** Live scopes and the tombstones of expired ones, sealed anew; a shredded one has nothing to seal, and stays behind with the old key. */
const resealScopes = async (
  client: PoolClient,
  keyring: BucketKeyring,
  bucket: BucketRow,
  { row: { bucket_id: bucketId, generation }, keys }: NextBucketKey,
): Promise<void> => {
  const { rows } = await client.query<ScopeRow>(
    `select scope_id, bucket_id, state, identity, sealed from scope where bucket_id = $1 and sealed is not null order by scope_id for update`,
    [bucketId],
  );
  const resealed = rows.flatMap((row): { scopeId: ScopeId; identity: Buffer; sealed: Buffer }[] => {
    const opened = keyring.openScope(row, bucket);
    if (!('record' in opened)) return [];
    const place = { bucketId, generation, scopeId: row.scope_id };
    const identity = scopeIdentity(keys, opened.record);
    if (opened.state === 'expired')
      return [{ scopeId: row.scope_id, identity, sealed: sealTombstone(keys, place, opened.record) }];
    const sealed = sealScope(keys, place, opened.record, opened.dataKey);
    wipe(opened.dataKey);
    return [{ scopeId: row.scope_id, identity, sealed }];
  });
  await client.query(
    `update scope set identity = n.identity, sealed = n.sealed from unnest($1::uuid[], $2::bytea[], $3::bytea[]) as n(id, identity, sealed)
     where scope_id = n.id`,
    [
      resealed.map(({ scopeId }) => scopeId),
      resealed.map(({ identity }) => identity),
      resealed.map(({ sealed }) => sealed),
    ],
  );
};

interface StoredExceptions {
  owner_kind: OwnerRef['kind'];
  owner_id: string;
  state: OwnerRow['state'];
  fence_order: string | null;
  except_bucket: string;
  except_sealed: Buffer;
}

const EXCEPTED = 'select * from owner where except_bucket = $1 and except_sealed is not null';

const lockExcepted = async (client: PoolClient, bucketId: string): Promise<ReadonlySet<string>> => {
  const { rows } = await client.query<StoredExceptions>(`${EXCEPTED} order by owner_id, owner_kind for update`, [
    bucketId,
  ]);
  return new Set(rows.map(({ owner_id: id }) => id));
};

const resealExceptions = async (
  client: PoolClient,
  keyring: BucketKeyring,
  bucket: BucketRow,
  { row, keys }: NextBucketKey,
  locked: ReadonlySet<string>,
): Promise<void> => {
  const { rows } = await client.query<StoredExceptions>(EXCEPTED, [bucket.bucket_id]);
  for (const stored of rows) {
    // Fenced after the owners were locked and before the bucket was: no lock may be taken in that order.
    if (!locked.has(stored.owner_id)) throw new FenceMet();
    const owner = { kind: stored.owner_kind, id: stored.owner_id } as OwnerRef;
    const known: OwnerRow = {
      ...{ owner, state: stored.state, fenceOrder: stored.fence_order },
      ...{ exceptBucket: stored.except_bucket, exceptSealed: stored.except_sealed },
    };
    const except = exceptionsOf(keyring, known, () => bucket);
    await client.query('update owner set except_sealed = $3 where owner_kind = $1 and owner_id = $2', [
      owner.kind,
      owner.id,
      sealExceptions(keys, row, owner, except),
    ]);
  }
};

/** A fence came in between two locks. The transaction is rolled back and tried again. */
export class FenceMet extends Error {
  override readonly name = 'FenceMet';
}
