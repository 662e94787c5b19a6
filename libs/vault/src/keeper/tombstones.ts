import type { OwnerRef, ScopeId } from '#kernel';
import type { PoolClient } from '#postgres';
import { keyFingerprint, wipe } from '../aead.js';
import type { BucketRow, OpenedScope, ScopeRow } from './buckets.js';
import type { BucketKeyring } from './keyring.js';
import { sealTombstone } from './wrap.js';
import type { JournalEntry } from './custodian/custodian-state.js';

/** A destroyed key, as a receipt names it. */
export interface Destroyed {
  readonly category: string;
  readonly fingerprint: string;
}

export interface Doomed {
  readonly row: ScopeRow;
  readonly bucket: BucketRow | undefined;
  readonly opened: OpenedScope;
}

/**
 * Locks the rows of scopes with their buckets, in the order that everybody locks in, and opens them. A scope without a row
 * is not in the answer. Throws `key-damaged`. The data keys stay open until `bury` wipes them.
 */
export const lockScopes = async (
  client: PoolClient,
  keyring: BucketKeyring,
  scopeIds: readonly ScopeId[],
): Promise<readonly Doomed[]> => {
  const { rows: buckets } = await client.query<BucketRow>(
    `select bucket_id, generation, epoch, wrapped from bucket
     where bucket_id in (select bucket_id from scope where scope_id = any($1)) order by bucket_id for update`,
    [scopeIds],
  );
  const { rows } = await client.query<ScopeRow>(
    'select * from scope where scope_id = any($1) order by scope_id for update',
    [scopeIds],
  );
  const byId = new Map(buckets.map((bucket) => [bucket.bucket_id, bucket]));
  return rows.map((row) => {
    const bucket = row.bucket_id === null ? undefined : byId.get(row.bucket_id);
    return { row, bucket, opened: keyring.openScope(row, bucket) };
  });
};

/**
 * Where a key dies: overwrites the sealed records with tombstones and marks their buckets dirty, in the caller's
 * transaction. Returns what was destroyed now, in an order that says nothing. The journal must hold `entries` already.
 */
export const bury = async (
  client: PoolClient,
  keyring: BucketKeyring,
  doomed: readonly Doomed[],
  entries: readonly JournalEntry[],
): Promise<readonly Destroyed[]> => {
  const kindOf = new Map(entries.map(({ scopeId, kind }) => [scopeId, kind]));
  const destroyed: Destroyed[] = [];
  const erased: ScopeId[] = [];
  const expired: { scopeId: ScopeId; sealed: Buffer }[] = [];
  for (const { row, bucket, opened } of doomed) {
    const kind = kindOf.get(row.scope_id);
    if (opened.state === 'live') {
      destroyed.push({ category: opened.record.category, fingerprint: keyFingerprint(opened.dataKey) });
      wipe(opened.dataKey);
    }
    if (kind === 'erased') erased.push(row.scope_id);
    else if (opened.state === 'live' && bucket) {
      const place = { bucketId: bucket.bucket_id, generation: bucket.generation, scopeId: row.scope_id };
      expired.push({ scopeId: row.scope_id, sealed: sealTombstone(keyring.keysOf(bucket), place, opened.record) });
    }
  }
  if (erased.length > 0)
    await client.query(
      `update scope set state = 'erased', bucket_id = null, identity = null, sealed = null where scope_id = any($1)`,
      [erased],
    );
  if (expired.length > 0)
    await client.query(
      `update scope set state = 'expired', sealed = n.sealed from unnest($1::uuid[], $2::bytea[]) as n(id, sealed)
       where scope_id = n.id and state = 'live'`,
      [expired.map(({ scopeId }) => scopeId), expired.map(({ sealed }) => sealed)],
    );
  // In this transaction and no other: a bucket key under which a key was shredded must never be wrapped under a later epoch.
  await client.query('update bucket set dirty = true where bucket_id = any($1)', [
    [...new Set(doomed.flatMap(({ bucket }) => (bucket ? [bucket.bucket_id] : [])))],
  ]);
  return destroyed.sort((a, b) => compare(a.category, b.category) || compare(a.fingerprint, b.fingerprint));
};

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Owners whom an erasure has begun to shred: their fence can't be released any more. */
export const beginErasing = async (client: PoolClient, owners: readonly OwnerRef[]): Promise<void> => {
  await client.query(
    `insert into owner (owner_kind, owner_id, state)
     select distinct k, i, 'erasing' from unnest($1::text[], $2::uuid[]) as o(k, i) order by 2, 1
     on conflict (owner_kind, owner_id) do update set state = 'erasing', fence_order = null where owner.state in ('open', 'fenced')`,
    [owners.map(({ kind }) => kind), owners.map(({ id }) => id)],
  );
};
