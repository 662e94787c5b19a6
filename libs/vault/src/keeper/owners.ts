import type { OwnerRef } from '#kernel';
import { MakulerError } from '#kernel';
import type { PoolClient } from '#postgres';
import type { BucketRow } from './buckets.js';
import { ownerKey } from './buckets.js';
import type { BucketKeyring } from './keyring.js';
import type { BucketKeys } from './wrap.js';
import { unwrap, wrap } from './wrap.js';

/** Which category and partition a fence leaves open. */
export interface Exception {
  readonly category: string;
  readonly partition: string;
}

/**
 * `fenced` may be released; `erasing` (something was shredded for an erasure) and `closed` never: an erased person is never reopened.
 */
export type OwnerState = 'open' | 'fenced' | 'erasing' | 'closed';

export interface OwnerRow {
  readonly owner: OwnerRef;
  readonly state: OwnerState;
  /** The order that the fence is up for. `null` behind a finished erasure: its exceptions are open again. */
  readonly fenceOrder: string | null;
  readonly exceptBucket: string | null;
  readonly exceptSealed: Buffer | null;
}

interface StoredOwner {
  owner_kind: OwnerRef['kind'];
  owner_id: string;
  state: OwnerState;
  fence_order: string | null;
  except_bucket: string | null;
  except_sealed: Buffer | null;
}

/**
 * Locks the rows of those owners that have one, in one order for everybody (owners before buckets before scopes), so that
 * mint, fence and shred wait for each other and never in a circle.
 */
export const lockKnownOwners = async (
  client: PoolClient,
  owners: readonly OwnerRef[],
): Promise<Map<string, OwnerRow>> => {
  const { rows } = await client.query<StoredOwner>({
    name: 'lock-owners',
    text: `select owner.* from owner join (select distinct * from unnest($1::text[], $2::uuid[])) as o(k, i)
             on owner_kind = k and owner_id = i order by owner_id, owner_kind for update of owner`,
    values: [owners.map(({ kind }) => kind), owners.map(({ id }) => id)],
  });
  return new Map(rows.map((row) => rowOf(row)));
};

const rowOf = (row: StoredOwner): [string, OwnerRow] => {
  const owner = { kind: row.owner_kind, id: row.owner_id } as OwnerRef;
  return [
    ownerKey(owner),
    {
      ...{ owner, state: row.state, fenceOrder: row.fence_order },
      ...{ exceptBucket: row.except_bucket, exceptSealed: row.except_sealed },
    },
  ];
};

/** As `lockKnownOwners`, with rows made for those who have none. */
export const lockOwners = async (client: PoolClient, owners: readonly OwnerRef[]): Promise<Map<string, OwnerRow>> => {
  const kinds = owners.map(({ kind }) => kind);
  const ids = owners.map(({ id }) => id as string);
  await client.query(
    `insert into owner (owner_kind, owner_id, state)
     select distinct k, i, 'open' from unnest($1::text[], $2::uuid[]) as o(k, i) order by 2, 1 on conflict do nothing`,
    [kinds, ids],
  );
  return lockKnownOwners(client, owners);
};

const fencePlace = (bucket: BucketRow, owner: OwnerRef) => [bucket.bucket_id, bucket.generation, owner.kind, owner.id];

/** The exceptions name partitions (a purchase, a case), so they are sealed: in clear they would join the owner to them. */
export const sealExceptions = (
  keys: BucketKeys,
  bucket: BucketRow,
  owner: OwnerRef,
  except: readonly Exception[],
): Buffer =>
  wrap(
    'fence',
    keys.records,
    Buffer.from(JSON.stringify(except.map(({ category, partition }) => [category, partition]))),
    fencePlace(bucket, owner),
  );

/** What an owner's fence leaves open; nothing when it names no exceptions. Throws `key-damaged`. */
export const exceptionsOf = (
  keyring: BucketKeyring,
  row: OwnerRow,
  bucketOf: (bucketId: string) => BucketRow | undefined,
): readonly Exception[] => {
  if (!row.exceptBucket || !row.exceptSealed) return [];
  const bucket = bucketOf(row.exceptBucket);
  const opened =
    bucket && unwrap('fence', keyring.keysOf(bucket).records, row.exceptSealed, fencePlace(bucket, row.owner));
  if (!opened) throw new MakulerError('key-damaged', { detail: "An owner's fence does not authenticate." });
  return (JSON.parse(Buffer.from(opened).toString()) as [string, string][]).map(([category, partition]) => ({
    category,
    partition,
  }));
};

export const isExcepted = (except: readonly Exception[], { category, partition }: Exception): boolean =>
  except.some((e) => e.category === category && e.partition === partition);
