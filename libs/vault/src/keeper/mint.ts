import { randomBytes, randomUUID } from 'node:crypto';
import type { OwnerRef, ScopeId } from '#kernel';
import { MakulerError } from '#kernel';
import type { Pool, PoolClient } from '#postgres';
import { inTransaction } from '#postgres';
import { v7 } from 'uuid';
import { newKey } from '../aead.js';
import type { ScopeRequest } from '../vault.js';
import type { BucketKeyring, BucketRow, ScopeRow } from './buckets.js';
import { BUCKET_OWNERS, BUCKET_SCOPES, ownerKey } from './buckets.js';
import type { OwnerRow } from './owners.js';
import { exceptionsOf, isExcepted, lockOwners } from './owners.js';
import { scopeIdentity, sealScope } from './wrap.js';

export interface MintedKey {
  readonly scopeId: ScopeId;
  readonly dataKey: Uint8Array;
}
export type MintOutcome = { readonly keys: readonly MintedKey[] } | { readonly refused: MakulerError };
export interface MintBatch {
  /** One for each group, in order: a group gets all of its keys or none is made. */
  readonly outcomes: readonly MintOutcome[];
  readonly mintSequence: number;
}

interface LockedBucket extends BucketRow {
  scopes: number;
  owners: number;
  isNew?: boolean;
}
interface NewScope {
  readonly scopeId: ScopeId;
  readonly bucket: LockedBucket;
  readonly identity: Buffer;
  readonly sealed: Buffer;
  readonly dataKey: Uint8Array;
}

const DAY_MS = 86_400_000;
/**
 * A scope id is a UUIDv7 whose time is cut to the day. A full time stamp, or the counter that libraries keep within a
 * millisecond, would say which scopes of different streams were minted together: for one person, by one command.
 */
const newScopeId = (nowMs: number): ScopeId =>
  v7({ msecs: nowMs - (nowMs % DAY_MS), random: randomBytes(16) }) as ScopeId;

export interface MintSurroundings {
  readonly nowMs: () => number;
  /** Whether a scope is about to be shredded. */
  readonly isClosing: (scopeId: ScopeId) => boolean;
  /** Counts the keys in the vault's row and proves that this vault is still the active one. */
  readonly count: (client: PoolClient, minted: number) => Promise<number>;
}

/** One transaction's view: every row it decides on is locked, and what it makes is kept until it is written. */
class Minting {
  readonly #buckets = new Map<string, LockedBucket>();
  readonly #ownerBuckets = new Map<string, LockedBucket[]>();
  readonly #existing = new Map<string, ScopeRow>();
  readonly #made = new Map<string, NewScope>();
  readonly #joined: { owner: OwnerRef; bucketId: string }[] = [];
  #owners = new Map<string, OwnerRow>();

  constructor(
    private readonly client: PoolClient,
    private readonly keyring: BucketKeyring,
    private filling: string | undefined,
    private readonly surroundings: MintSurroundings,
  ) {}

  get fillingBucket(): string | undefined {
    return this.filling;
  }

  async lock(requests: readonly ScopeRequest[]): Promise<void> {
    const owners = [...new Map(requests.map(({ owner }) => [ownerKey(owner), owner])).values()];
    this.#owners = await lockOwners(this.client, owners);
    const { rows: memberships } = await this.client.query<{
      owner_kind: OwnerRef['kind'];
      owner_id: string;
      bucket_id: string;
    }>(
      `select ob.* from owner_bucket ob join unnest($1::text[], $2::uuid[]) as o(k, i) on owner_kind = k and owner_id = i`,
      [owners.map(({ kind }) => kind), owners.map(({ id }) => id)],
    );
    const bucketIds = new Set(memberships.map(({ bucket_id }) => bucket_id));
    if (this.filling) bucketIds.add(this.filling);
    // The lock and the generation in the row are the meeting point with rotation: whatever is sealed below is sealed under
    // the generation that this row has until the commit.
    const { rows: buckets } = await this.client.query<LockedBucket>(
      'select bucket_id, generation, epoch, wrapped, scopes, owners from bucket where bucket_id = any($1) order by bucket_id for update',
      [[...bucketIds]],
    );
    for (const bucket of buckets) this.#buckets.set(bucket.bucket_id, bucket);
    for (const { owner_kind, owner_id, bucket_id } of memberships) {
      const key = ownerKey({ kind: owner_kind, id: owner_id } as OwnerRef);
      this.#ownerBuckets.set(key, [...(this.#ownerBuckets.get(key) ?? []), this.#buckets.get(bucket_id)!]);
    }
    await this.#findExisting(requests);
  }

  /** Mints or finds the keys of one group. Decides about all of its requests before it makes anything. */
  group(requests: readonly ScopeRequest[]): MintOutcome {
    try {
      const found = requests.map((request) => this.#decide(request));
      return { keys: found.map((key, index) => key ?? this.#make(requests[index]!)) };
    } catch (error) {
      if (error instanceof MakulerError) return { refused: error };
      throw error;
    }
  }

  async write(): Promise<number> {
    const made = [...this.#made.values()];
    const changed = [...this.#buckets.values()];
    const fresh = changed.filter(({ isNew }) => isNew);
    if (fresh.length > 0)
      await this.client.query(
        `insert into bucket (bucket_id, generation, epoch, wrapped, scopes, owners)
         select * from unnest($1::uuid[], $2::int[], $3::int[], $4::bytea[], $5::int[], $6::int[])`,
        [
          fresh.map((b) => b.bucket_id),
          fresh.map((b) => b.generation),
          fresh.map((b) => b.epoch),
          fresh.map((b) => b.wrapped),
          fresh.map((b) => b.scopes),
          fresh.map((b) => b.owners),
        ],
      );
    if (made.length > 0) {
      const grown = changed.filter(({ isNew }) => !isNew);
      await this.client.query(
        `update bucket set scopes = n.scopes, owners = n.owners
         from unnest($1::uuid[], $2::int[], $3::int[]) as n(id, scopes, owners) where bucket_id = n.id`,
        [grown.map((b) => b.bucket_id), grown.map((b) => b.scopes), grown.map((b) => b.owners)],
      );
    }
    if (this.#joined.length > 0)
      await this.client.query(
        'insert into owner_bucket (owner_kind, owner_id, bucket_id) select * from unnest($1::text[], $2::uuid[], $3::uuid[])',
        [
          this.#joined.map(({ owner }) => owner.kind),
          this.#joined.map(({ owner }) => owner.id),
          this.#joined.map(({ bucketId }) => bucketId),
        ],
      );
    if (made.length > 0)
      // Insert-only: a row that exists is a fault, never something to write over.
      await this.client.query(
        `insert into scope (scope_id, bucket_id, state, identity, sealed)
         select id, bucket, 'live', identity, sealed from unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bytea[]) as n(id, bucket, identity, sealed)`,
        [
          made.map((s) => s.scopeId),
          made.map((s) => s.bucket.bucket_id),
          made.map((s) => s.identity),
          made.map((s) => s.sealed),
        ],
      );
    return made.length;
  }

  /** The key of an existing scope, `undefined` for one to be made; throws the refusal. */
  #decide(request: ScopeRequest): MintedKey | undefined {
    const key = ownerKey(request.owner);
    const owner = this.#owners.get(key)!;
    if (owner.state !== 'open') {
      const except = exceptionsOf(this.keyring, owner, (id) => this.#buckets.get(id));
      if (owner.state === 'closed' || !isExcepted(except, request)) throw new MakulerError('subject-closed');
    }
    for (const bucket of this.#ownerBuckets.get(key) ?? []) {
      const identity = scopeIdentity(this.keyring.keysOf(bucket), request);
      const column = columnKey(bucket.bucket_id, identity);
      const made = this.#made.get(column);
      const row = this.#existing.get(column);
      if (!made && !row) continue;
      const opened = this.keyring.openScope(row ?? rowOf(made!), bucket);
      if (opened.state !== 'live' || (row && this.surroundings.isClosing(row.scope_id)))
        throw new MakulerError('scope-shredded');
      if (opened.record.stream !== request.stream) throw new MakulerError('scope-stream-mismatch');
      return { scopeId: (row?.scope_id ?? made?.scopeId)!, dataKey: opened.dataKey };
    }
    return undefined;
  }

  #make(request: ScopeRequest): MintedKey {
    // Twice in one group: the second finds what the first made.
    const twin = this.#decide(request);
    if (twin) return twin;
    const bucket = this.#bucketFor(request.owner);
    bucket.scopes++;
    const keys = this.keyring.keysOf(bucket);
    const scopeId = newScopeId(this.surroundings.nowMs());
    const dataKey = newKey();
    const { owner, category, partition, stream } = request;
    const place = { bucketId: bucket.bucket_id, generation: bucket.generation, scopeId };
    const identity = scopeIdentity(keys, request);
    const sealed = sealScope(keys, place, { owner, category, partition, stream }, dataKey);
    this.#made.set(columnKey(bucket.bucket_id, identity), { scopeId, bucket, identity, sealed, dataKey });
    return { scopeId, dataKey };
  }

  #bucketFor(owner: OwnerRef): LockedBucket {
    const key = ownerKey(owner);
    const own = this.#ownerBuckets.get(key) ?? [];
    const open = own.find(({ scopes }) => scopes < BUCKET_SCOPES);
    if (open) return open;
    let bucket = this.filling === undefined ? undefined : this.#buckets.get(this.filling);
    if (!bucket || bucket.scopes >= BUCKET_SCOPES || bucket.owners >= BUCKET_OWNERS) {
      bucket = { ...this.keyring.create(randomUUID()), scopes: 0, owners: 0, isNew: true };
      this.#buckets.set(bucket.bucket_id, bucket);
      this.filling = bucket.bucket_id;
    }
    bucket.owners++;
    this.#ownerBuckets.set(key, [...own, bucket]);
    this.#joined.push({ owner, bucketId: bucket.bucket_id });
    return bucket;
  }

  async #findExisting(requests: readonly ScopeRequest[]): Promise<void> {
    const places = requests.flatMap((request) =>
      (this.#ownerBuckets.get(ownerKey(request.owner)) ?? []).map((bucket) => ({
        bucketId: bucket.bucket_id,
        identity: scopeIdentity(this.keyring.keysOf(bucket), request),
      })),
    );
    if (places.length === 0) return;
    const { rows } = await this.client.query<ScopeRow>(
      `select scope.* from scope join unnest($1::uuid[], $2::bytea[]) as n(bucket, mac) on bucket_id = n.bucket and identity = n.mac`,
      [places.map(({ bucketId }) => bucketId), places.map(({ identity }) => identity)],
    );
    for (const row of rows) this.#existing.set(columnKey(row.bucket_id!, row.identity!), row);
  }
}

const columnKey = (bucketId: string, identity: Buffer): string => `${bucketId}:${identity.toString('base64')}`;
const rowOf = ({ scopeId, bucket, identity, sealed }: NewScope): ScopeRow => ({
  scope_id: scopeId,
  bucket_id: bucket.bucket_id,
  state: 'live',
  identity,
  sealed,
});

/**
 * Makes and leases keys to seal with. Requests that arrive while a transaction commits form the next one: one commit for
 * all of them, and never two transactions that could make one scope twice.
 */
export class Mint {
  readonly #waiting: { groups: readonly (readonly ScopeRequest[])[]; settle: PromiseWithResolvers<MintBatch> }[] = [];
  #working = false;
  #filling: string | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly keyring: BucketKeyring,
    private readonly surroundings: MintSurroundings,
  ) {}

  mint(groups: readonly (readonly ScopeRequest[])[]): Promise<MintBatch> {
    const settle = Promise.withResolvers<MintBatch>();
    this.#waiting.push({ groups, settle });
    if (!this.#working) void this.#work();
    return settle.promise;
  }

  async #work(): Promise<void> {
    this.#working = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH);
      try {
        const { outcomes, mintSequence } = await this.#commit(batch.flatMap(({ groups }) => groups));
        let next = 0;
        for (const { groups, settle } of batch)
          settle.resolve({ outcomes: outcomes.slice(next, (next += groups.length)), mintSequence });
      } catch (error) {
        for (const { settle } of batch) settle.reject(error);
      }
    }
    this.#working = false;
  }

  async #commit(groups: readonly (readonly ScopeRequest[])[]): Promise<MintBatch> {
    let filling: string | undefined;
    const batch = await inTransaction(this.pool, async (client) => {
      this.#filling ??= await fillingBucket(client);
      const minting = new Minting(client, this.keyring, this.#filling, this.surroundings);
      await minting.lock(groups.flat());
      const outcomes = groups.map((group) => minting.group(group));
      const mintSequence = await this.surroundings.count(client, await minting.write());
      filling = minting.fillingBucket;
      return { outcomes, mintSequence };
    });
    // Only now: a bucket of a transaction that was rolled back does not exist.
    this.#filling = filling;
    return batch;
  }
}

/** Calls that share a transaction at most. */
const BATCH = 256;

const fillingBucket = async (client: PoolClient): Promise<string | undefined> => {
  const { rows } = await client.query<{ bucket_id: string }>(
    'select bucket_id from bucket where scopes < $1 and owners < $2 order by scopes desc limit 1',
    [BUCKET_SCOPES, BUCKET_OWNERS],
  );
  return rows[0]?.bucket_id;
};
