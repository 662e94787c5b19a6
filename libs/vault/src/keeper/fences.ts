import type { OwnerRef } from '#kernel';
import { MakulerError } from '#kernel';
import type { Pool, PoolClient } from '#postgres';
import { randomUUID } from 'node:crypto';
import type { FenceOrder } from '../shredder-contract.js';
import type { Write } from './active.js';
import type { BucketRow } from './buckets.js';
import { ownerKey } from './buckets.js';
import type { CustodianMirrors } from './custodian/mirrors.js';
import { noteCustodian } from './custodian-number.js';
import { EpochMoved, sealHasCommitted } from './epochs/epoch-moved.js';
import type { Holders } from './holders.js';
import type { BucketKeyring } from './keyring.js';
import type { Exception, OwnerRow } from './owners.js';
import { exceptionsOf, isExcepted, lockOwners, sealExceptions } from './owners.js';
import { scopesOf } from './owner-scopes.js';
import { raiseReceipt } from './receipts.js';
import type { Doomed } from './tombstones.js';

/** Closes owners to new scopes and seals, for a while or for ever. */
export class Fences {
  constructor(
    private readonly pool: Pool,
    private readonly write: Write,
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
  async fence(order: FenceOrder): Promise<void> {
    await this.#putUp(order).catch(async (error: unknown) => {
      if (!(error instanceof EpochMoved)) throw error;
      // Once more, with a bucket of the epoch that a seal has begun.
      await sealHasCommitted(this.pool);
      return this.#putUp(order);
    });
    await this.holders.quiesce(order.owner);
  }

  #putUp({ orderId, owner, kind, except }: FenceOrder): Promise<void> {
    return this.write(async (client) => {
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
  }

  /** Opens the fence of an order again; of whom something was shredded for an erasure, only what it excepts. */
  async release(owner: OwnerRef, orderId: string): Promise<void> {
    await this.write(async (client) => {
      const row = (await lockOwners(client, [owner])).get(ownerKey(owner))!;
      if (row.fenceOrder !== orderId) return;
      if (row.state === 'fenced') await setOwner(client, owner, 'open', undefined, undefined);
      await setFenceOrder(client, owner, null);
      await this.assertActive(client);
    });
  }

  /**
   * Leaves one row that says `closed` and is joined to nothing. Throws `erasure-not-finished` while a scope of the owner is
   * live. Journaled first: a restored database must not have the person open again. What is emptied here lay under keys of
   * perhaps a later epoch than what the order destroyed, so the order is cleared with the later one.
   */
  async closeForEver(owner: OwnerRef, orderId: string): Promise<void> {
    let journaled = false;
    try {
      await this.write(async (client) => {
        const row = (await lockOwners(client, [owner])).get(ownerKey(owner))!;
        // A crash may have come between the journal and this transaction, and then the next start has closed the owner.
        if (row.state === 'closed') return raiseReceipt(client, orderId, this.#closedIn(owner));
        await this.assertActive(client);
        const scopes = await scopesOf(client, this.keyring, owner);
        if (scopes.some(({ state }) => state === 'live'))
          throw new MakulerError('erasure-not-finished', { detail: 'A scope of the owner is still live.' });
        const emptied = new Set(scopes.map(({ scopeId }) => scopeId));
        journaled = true;
        const state = await this.custodian.change(({ closed, shredded, epochs }) => ({
          closed: [...closed.filter(({ id }) => id !== owner.id), { ...owner, epoch: epochs.at(-1)! }],
          shredded: shredded.map((entry) => (emptied.has(entry.scopeId) ? { ...entry, kind: 'erased' } : entry)),
        }));
        await closeOwners(client, this.keyring, [owner]);
        await raiseReceipt(client, orderId, this.#closedIn(owner));
        await noteCustodian(client, state);
      });
    } catch (error) {
      if (journaled) this.onUnapplied();
      throw error;
    }
    await this.holders.quiesce(owner);
  }

  /** The epoch that the journal has the owner under; 0 once no root of it exists. */
  #closedIn({ kind, id }: OwnerRef): number {
    return this.custodian.state!.closed.find((one) => one.kind === kind && one.id === id)?.epoch ?? 0;
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
    // The lock keeps the vault's row in this epoch until the commit: a seal that has counted its buckets must not miss this one.
    const { rowCount } = await client.query(
      `insert into bucket (bucket_id, generation, epoch, wrapped, scopes, owners)
       select $1, $2, epoch, $4, 0, 1 from vault where epoch = $3 for no key update`,
      [row.bucket_id, row.generation, row.epoch, row.wrapped],
    );
    if (rowCount !== 1) throw new EpochMoved();
    await client.query('insert into owner_bucket (owner_kind, owner_id, bucket_id) values ($1, $2, $3)', [
      owner.kind,
      owner.id,
      row.bucket_id,
    ]);
    return row;
  }
}

/** All buckets of an owner, in the order that everybody locks in. */
export const lockBucketsOf = async (client: PoolClient, owner: OwnerRef): Promise<ReadonlyMap<string, BucketRow>> => {
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

/**
 * A scope that an erasure shreds is no exception any more, or it could be minted again. Before the tombstones forget its name.
 * The exceptions name what the person's events stand under, so their bucket is dirty like those of the scopes: returns its
 * epoch, which the order is not cleared before, or 0 when there are none.
 */
export const dropExceptions = async (
  client: PoolClient,
  keyring: BucketKeyring,
  owner: OwnerRef,
  doomed: readonly Doomed[],
): Promise<number> => {
  const row = (await lockOwners(client, [owner])).get(ownerKey(owner))!;
  if (!row.exceptSealed || !row.exceptBucket) return 0;
  const buckets = await lockBucketsOf(client, owner);
  // A journal that is replayed brings scopes of several owners, and two of them may have the same category and partition.
  const names = doomed.flatMap(({ opened }) =>
    'record' in opened && ownerKey(opened.record.owner) === ownerKey(owner) ? [opened.record] : [],
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
  await client.query('update bucket set dirty = true where bucket_id = $1', [bucket.bucket_id]);
  return bucket.epoch;
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
    await client.query(
      `update scope set state = 'erased', bucket_id = null, identity = null, sealed = null where scope_id = any($1)`,
      [scopeIds],
    );
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
