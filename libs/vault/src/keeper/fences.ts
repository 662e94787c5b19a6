import type { OwnerRef } from '#kernel';
import { MakulerError } from '#kernel';
import type { Pool, PoolClient } from '#postgres';
import { inTransaction } from '#postgres';
import { randomUUID } from 'node:crypto';
import type { FenceOrder } from '../shredder-contract.js';
import type { BucketKeyring, BucketRow } from './buckets.js';
import { ownerKey } from './buckets.js';
import type { CustodianMirrors } from './custodian/mirrors.js';
import type { Holders } from './holders.js';
import type { Exception, OwnerRow } from './owners.js';
import { exceptionsOf, isExcepted, lockOwners, sealExceptions } from './owners.js';
import { scopesOf } from './lookup.js';
import type { Doomed } from './tombstones.js';

/** Closes owners to new scopes and seals, for a while or for ever. */
export class Fences {
  constructor(
    private readonly pool: Pool,
    private readonly keyring: BucketKeyring,
    private readonly custodian: CustodianMirrors,
    private readonly holders: Holders,
    private readonly assertActive: (client: PoolClient) => Promise<unknown>,
    private readonly onUnapplied: () => void,
  ) {}

  /**
   * No new scope and no new seal but in the exceptions, from the commit on; resolves when what was under way is over. Of
   * whom something was shredded for an erasure, everything is closed until `release`, and its exceptions stay as they are:
   * what was shredded is never minted again.
   */
  async fence({ orderId, owner, kind, except }: FenceOrder): Promise<void> {
    await inTransaction(this.pool, async (client) => {
      const row = (await lockOwners(client, [owner])).get(ownerKey(owner))!;
      // Whoever carried the order out has released its fence, and would not do so twice.
      const { rowCount } = await client.query('select from receipt where order_id = $1', [orderId]);
      if (row.state === 'closed' || rowCount) return;
      if (kind === 'expiry' && row.state === 'fenced' && row.fenceOrder !== orderId)
        throw new MakulerError('erasure-in-progress');
      if (row.state !== 'erasing') await this.#store(client, row, await lockBucketsOf(client, owner), except);
      await setFenceOrder(client, owner, orderId);
      await this.assertActive(client);
    });
    await this.holders.quiesce(owner);
  }

  /** Opens the fence of an order again; of whom something was shredded for an erasure, only what it excepts. */
  async release(owner: OwnerRef, orderId: string): Promise<void> {
    await inTransaction(this.pool, async (client) => {
      const row = (await lockOwners(client, [owner])).get(ownerKey(owner))!;
      if (row.fenceOrder !== orderId) return;
      if (row.state === 'fenced') await setOwner(client, owner, 'open', undefined, undefined);
      await setFenceOrder(client, owner, null);
      await this.assertActive(client);
    });
  }

  /**
   * Leaves one row that says `closed` and is joined to nothing. Throws `erasure-not-finished` while a scope of the owner is
   * live. Journaled first: a restored database must not have the person open again.
   */
  async closeForEver(owner: OwnerRef): Promise<void> {
    let journaled = false;
    try {
      await inTransaction(this.pool, async (client) => {
        const row = (await lockOwners(client, [owner])).get(ownerKey(owner))!;
        if (row.state === 'closed') return;
        await this.assertActive(client);
        const scopes = await scopesOf(client, this.keyring, owner);
        if (scopes.some(({ state }) => state === 'live'))
          throw new MakulerError('erasure-not-finished', { detail: 'A scope of the owner is still live.' });
        const emptied = new Set(scopes.map(({ scopeId }) => scopeId));
        journaled = true;
        await this.custodian.change(({ closed, shredded }) => ({
          closed: [...closed.filter(({ id }) => id !== owner.id), owner],
          shredded: shredded.map((entry) => (emptied.has(entry.scopeId) ? { ...entry, kind: 'erased' } : entry)),
        }));
        await closeOwners(client, this.keyring, [owner]);
      });
    } catch (error) {
      if (journaled) this.onUnapplied();
      throw error;
    }
    await this.holders.quiesce(owner);
  }

  async #store(
    client: PoolClient,
    { owner }: OwnerRow,
    buckets: ReadonlyMap<string, BucketRow>,
    except: readonly Exception[],
  ): Promise<void> {
    if (except.length === 0) return setOwner(client, owner, 'fenced', undefined, undefined);
    const bucket = [...buckets.values()].at(-1) ?? (await this.#bucketOfItsOwn(client, owner));
    await setOwner(
      client,
      owner,
      'fenced',
      bucket.bucket_id,
      sealExceptions(this.keyring.keysOf(bucket), bucket, owner, except),
    );
  }

  /** An owner without any scope, fenced with exceptions: they need a key to lie under. */
  async #bucketOfItsOwn(client: PoolClient, owner: OwnerRef): Promise<BucketRow> {
    const row = this.keyring.create(randomUUID());
    await client.query(
      'insert into bucket (bucket_id, generation, epoch, wrapped, scopes, owners) values ($1, $2, $3, $4, 0, 1)',
      [row.bucket_id, row.generation, row.epoch, row.wrapped],
    );
    await client.query('insert into owner_bucket (owner_kind, owner_id, bucket_id) values ($1, $2, $3)', [
      owner.kind,
      owner.id,
      row.bucket_id,
    ]);
    return row;
  }
}

const lockBucketsOf = async (client: PoolClient, owner: OwnerRef): Promise<ReadonlyMap<string, BucketRow>> => {
  const { rows } = await client.query<BucketRow>(
    `select bucket_id, generation, epoch, wrapped from bucket
     where bucket_id in (select bucket_id from owner_bucket where owner_kind = $1 and owner_id = $2) order by bucket_id for update`,
    [owner.kind, owner.id],
  );
  return new Map(rows.map((bucket) => [bucket.bucket_id, bucket]));
};

const setOwner = async (
  client: PoolClient,
  owner: OwnerRef,
  state: OwnerRow['state'],
  bucketId: string | undefined,
  sealed: Buffer | undefined,
): Promise<void> => {
  await client.query(
    'update owner set state = $3, except_bucket = $4, except_sealed = $5 where owner_kind = $1 and owner_id = $2',
    [owner.kind, owner.id, state, bucketId, sealed],
  );
};

const setFenceOrder = async (client: PoolClient, owner: OwnerRef, orderId: string | null): Promise<void> => {
  await client.query('update owner set fence_order = $3 where owner_kind = $1 and owner_id = $2', [
    owner.kind,
    owner.id,
    orderId,
  ]);
};

/** A scope that an erasure shreds is no exception any more, or it could be minted again. Before the tombstones forget its name. */
export const dropExceptions = async (
  client: PoolClient,
  keyring: BucketKeyring,
  owner: OwnerRef,
  doomed: readonly Doomed[],
): Promise<void> => {
  const row = (await lockOwners(client, [owner])).get(ownerKey(owner))!;
  if (!row.exceptSealed || !row.exceptBucket) return;
  const buckets = await lockBucketsOf(client, owner);
  // A journal that is replayed brings scopes of several owners, and two of them may have the same category and partition.
  const names = doomed.flatMap(({ opened }) =>
    opened.state !== 'erased' && ownerKey(opened.record.owner) === ownerKey(owner) ? [opened.record] : [],
  );
  const except = exceptionsOf(keyring, row, (id) => buckets.get(id)).filter(
    (exception) => !isExcepted(names, exception),
  );
  const bucket = buckets.get(row.exceptBucket)!;
  await setOwner(
    client,
    owner,
    row.state,
    bucket.bucket_id,
    sealExceptions(keyring.keysOf(bucket), bucket, owner, except),
  );
};

/** Empties what the owners' tombstones still say, and takes the owners out of their buckets. The journal must hold them already. */
export const closeOwners = async (
  client: PoolClient,
  keyring: BucketKeyring,
  owners: readonly OwnerRef[],
): Promise<void> => {
  for (const owner of owners) {
    await lockOwners(client, [owner]);
    await lockBucketsOf(client, owner);
    const scopeIds = (await scopesOf(client, keyring, owner)).map(({ scopeId }) => scopeId);
    await client.query(`update scope set state = 'erased', identity = null, sealed = null where scope_id = any($1)`, [
      scopeIds,
    ]);
    // Dirty: an old copy of the emptied tombstones must lose its key as a shredded record does.
    await client.query(
      `update bucket set dirty = true where bucket_id in (select bucket_id from owner_bucket where owner_kind = $1 and owner_id = $2)`,
      [owner.kind, owner.id],
    );
    await client.query('delete from owner_bucket where owner_kind = $1 and owner_id = $2', [owner.kind, owner.id]);
    await setOwner(client, owner, 'closed', undefined, undefined);
    await setFenceOrder(client, owner, null);
  }
};
