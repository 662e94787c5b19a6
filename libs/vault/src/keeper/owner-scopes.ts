import type { OwnerRef } from '#kernel';
import type { Pool, PoolClient } from '#postgres';
import type { ScopeInfo } from '../shredder-contract.js';
import type { BucketRow, ScopeRow } from './buckets.js';
import type { BucketKeyring } from './keyring.js';

type Joined = ScopeRow & { [K in keyof BucketRow as `b_${K}`]: BucketRow[K] | null };

const SCOPES = `select scope.*, b.bucket_id as b_bucket_id, b.generation as b_generation, b.epoch as b_epoch, b.wrapped as b_wrapped
  from scope left join bucket b on b.bucket_id = scope.bucket_id`;

const bucketOf = (row: Joined): BucketRow | undefined =>
  row.b_bucket_id === null
    ? undefined
    : { bucket_id: row.b_bucket_id, generation: row.b_generation!, epoch: row.b_epoch!, wrapped: row.b_wrapped! };

/**
 * Scopes with their buckets. A scope and its bucket come from one statement and so from one snapshot: a rotation between
 * them can't be seen. A seal may end between the snapshot and now, and then what it said opens no more: it is read again.
 */
const readJoined = async (
  pool: Pool | PoolClient,
  keyring: BucketKeyring,
  sql: string,
  values: readonly unknown[],
): Promise<readonly Joined[]> => {
  const read = async () => (await pool.query<Joined>(sql, [...values])).rows;
  const rows = await read();
  const isOutdated = rows.map(bucketOf).some((bucket) => bucket && !keyring.hasKeyFor(bucket));
  return isOutdated ? read() : rows;
};

/**
 * Every scope of an owner, live and expired, found by opening all records of the owner's buckets. Throws `key-damaged` when
 * one of them does not authenticate: the list would be incomplete, and an erasure by it too.
 */
export const scopesOf = async (
  pool: Pool | PoolClient,
  keyring: BucketKeyring,
  owner: OwnerRef,
): Promise<readonly ScopeInfo[]> => {
  const rows = await readJoined(
    pool,
    keyring,
    `${SCOPES} where state <> 'erased' and scope.bucket_id in (select bucket_id from owner_bucket where owner_kind = $1 and owner_id = $2)
     order by scope_id`,
    [owner.kind, owner.id],
  );
  return rows.flatMap((row): ScopeInfo[] => {
    const opened = keyring.openScope(row, bucketOf(row));
    if (!('record' in opened)) return [];
    if (opened.state === 'live') opened.dataKey.fill(0);
    const { record } = opened;
    if (record.owner.kind !== owner.kind || record.owner.id !== owner.id) return [];
    const { category, partition, stream } = record;
    return [
      { scopeId: row.scope_id, category, partition, stream, state: opened.state === 'live' ? 'live' : 'shredded' },
    ];
  });
};
