import { randomUUID } from 'node:crypto';
import type { OwnerRef, ScopeId } from '#kernel';
import { isMakulerError, MakulerError, randomPart } from '#kernel';
import type { PoolClient } from '#postgres';
import { v7 } from 'uuid';
import { newKey } from '../aead.js';
import type { ScopeRequest } from '../vault.js';
import type { SequenceRow } from './active.js';
import { readSequence } from './active.js';
import type { BucketRow, ScopeRow } from './buckets.js';
import { BUCKET_OWNERS, BUCKET_SCOPES, ownerKey } from './buckets.js';
import { EpochMoved } from './epochs/epoch-moved.js';
import type { BucketKeyring } from './keyring.js';
import type { OwnerRow } from './owners.js';
import { exceptionsOf, isExcepted, lockKnownOwners } from './owners.js';
import { scopeIdentity, sealScope } from './wrap.js';

export interface MintedKey {
  readonly scopeId: ScopeId;
  readonly dataKey: Uint8Array;
}
/** `made`: how many of the keys are new. */
export type MintOutcome =
  { readonly keys: readonly MintedKey[]; readonly made: number } | { readonly refused: MakulerError };
/** A bucket, and how many scopes and owners are in it. */
export interface CountedBucket extends BucketRow {
  readonly scopes: number;
  readonly owners: number;
}
interface LockedBucket extends BucketRow {
  scopes: number;
  owners: number;
  /** As it was found; `undefined` of one that is made here. */
  readonly found?: CountedBucket;
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
  v7({ msecs: nowMs - (nowMs % DAY_MS), random: randomPart(16) }) as ScopeId;

export interface MintSurroundings {
  readonly nowMs: () => number;
  /** Whether a scope is about to be shredded. */
  readonly isClosing: (scopeId: ScopeId) => boolean;
  /** The right to write, which the vault's row must still show. */
  readonly token: string;
  /** Looks at the vault's row after a batch; throws when there is none: another vault has taken over. */
  readonly counted: (row: SequenceRow | undefined) => number;
  /** Takes note of the count once the batch is committed, and never before: one that is rolled back was handed out to nobody. */
  readonly committed: (sequence: number) => void;
}

/**
 * What a batch took for granted is not so: it was rolled back, and is decided on locked rows. Nothing of it was written, or counted.
 */
export class Refuted extends Error {
  override readonly name = 'Refuted';
}

/**
 * One transaction of minting: every row it decides on is locked (`lock`), or looked at by what writes (`assume`), and what it
 * makes is kept until it is written.
 */
export class Minting {
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

  /** The bucket that the next owner goes into, as this batch leaves it. */
  get fillingBucket(): CountedBucket | undefined {
    const bucket = this.filling === undefined ? undefined : this.#buckets.get(this.filling);
    if (!bucket) return undefined;
    const { found: _, ...left } = bucket;
    return left;
  }

  /** Those of the owners that had a row when they were locked; nobody, when that was assumed. */
  get knownOwners(): ReadonlySet<string> {
    return new Set(this.#owners.keys());
  }

  /**
   * Instead of `lock`, when the owners are met for the first time, as far as is known, and the bucket that is being filled was left
   * like this. Nothing is asked: `write` throws Refuted when one of it is not so.
   */
  assume(filling: CountedBucket): void {
    this.#buckets.set(filling.bucket_id, { ...filling, found: filling });
  }

  async lock(requests: readonly ScopeRequest[]): Promise<void> {
    const owners = new Map(requests.map(({ owner }) => [ownerKey(owner), owner]));
    this.#owners = await lockKnownOwners(this.client, [...owners.values()]);
    const known = [...this.#owners.values()].map(({ owner }) => owner);
    // The lock and the generation in the row are the meeting point with rotation: whatever is sealed below is sealed under
    // the generation that this row has until the commit.
    const { rows } = await this.client.query<
      CountedBucket & { owner_kind: OwnerRef['kind'] | null; owner_id: string | null }
    >({
      name: 'mint-buckets',
      text: `select b.bucket_id, b.generation, b.epoch, b.wrapped, b.scopes, b.owners, ob.owner_kind, ob.owner_id
             from bucket b left join (owner_bucket ob join unnest($1::text[], $2::uuid[]) as o(k, i) on ob.owner_kind = k and ob.owner_id = i)
               on ob.bucket_id = b.bucket_id
             where b.bucket_id = $3 or ob.owner_id is not null order by b.bucket_id for update of b`,
      values: [known.map(({ kind }) => kind), known.map(({ id }) => id), this.filling],
    });
    for (const { owner_kind: kind, owner_id: id, ...row } of rows) {
      const bucket = this.#buckets.get(row.bucket_id) ?? { ...row, found: row };
      this.#buckets.set(row.bucket_id, bucket);
      if (kind === null || id === null) continue;
      const key = ownerKey({ kind, id } as OwnerRef);
      this.#ownerBuckets.set(key, [...(this.#ownerBuckets.get(key) ?? []), bucket]);
    }
    await this.#findExisting(requests);
  }

  /** Mints or finds the keys of one group. Decides about all of its requests before it makes anything. */
  group(requests: readonly ScopeRequest[]): MintOutcome {
    try {
      const found = requests.map((request) => this.#decide(request));
      const before = this.#made.size;
      const keys = found.map((key, index) => key ?? this.#make(requests[index]!));
      return { keys, made: this.#made.size - before };
    } catch (error) {
      if (error instanceof MakulerError) return { refused: error };
      throw error;
    }
  }

  /**
   * Writes everything in one statement and counts the keys in the vault's row, if this vault is still the active one and nothing
   * of what was decided on has changed. Insert-only: a row that exists is a fault, never something to write over. Of an owner whom
   * a fence makes known at this moment there is such a row too. Throws that (unique violation), or Refuted, and the batch is tried
   * again on locked rows; as it is (EpochMoved) when a seal has begun another epoch since a bucket was made: a bucket committed
   * into an epoch after the seal has counted its buckets would die with its root.
   */
  async write(): Promise<SequenceRow | undefined> {
    const made = [...this.#made.values()];
    if (made.length === 0) return readSequence(this.client, this.surroundings.token);
    const fresh = [...this.#buckets.values()].filter(({ found }) => !found);
    const grown = [...this.#buckets.values()].flatMap(({ found, scopes, owners }) =>
      found && (found.scopes !== scopes || found.owners !== owners) ? [{ found, scopes, owners }] : [],
    );
    const met = [...new Map(this.#joined.map(({ owner }) => [ownerKey(owner), owner]))].filter(
      ([key]) => !this.#owners.has(key),
    );
    const { rows } = await this.client.query<{ fits: boolean } & (SequenceRow | { incarnation: null })>({
      name: 'mint-write',
      text: WRITE,
      values: [
        ...columns(fresh, 'bucket_id', 'generation', 'epoch', 'wrapped', 'scopes', 'owners'),
        ...columns(grown, 'scopes', 'owners'),
        ...columns(
          grown.map(({ found }) => found),
          'bucket_id',
          'generation',
          'scopes',
          'owners',
        ),
        ...columns(
          met.map(([, owner]) => owner),
          'kind',
          'id',
        ),
        ...columns(
          this.#joined.map(({ owner }) => owner),
          'kind',
          'id',
        ),
        this.#joined.map(({ bucketId }) => bucketId),
        made.map(({ scopeId }) => scopeId),
        made.map(({ bucket }) => bucket.bucket_id),
        ...columns(made, 'identity', 'sealed'),
        made.length,
        this.surroundings.token,
        fresh[0]?.epoch ?? null,
      ],
    });
    const [row] = rows;
    if (!row?.fits) throw new Refuted();
    if (row.incarnation !== null) return row;
    const present = await readSequence(this.client, this.surroundings.token);
    if (present) throw new EpochMoved();
    return undefined;
  }

  /** The key of an existing scope, `undefined` for one to be made; throws the refusal. */
  #decide(request: ScopeRequest): MintedKey | undefined {
    const key = ownerKey(request.owner);
    const owner = this.#owners.get(key);
    if (owner && owner.state !== 'open') {
      // Of somebody whom an erasure has closed something is being shredded: what it left open rests meanwhile.
      const closed = owner.state === 'closed' || (owner.state === 'erasing' && owner.fenceOrder !== null);
      const except = closed ? [] : exceptionsOf(this.keyring, owner, (id) => this.#buckets.get(id));
      if (!isExcepted(except, request)) throw new MakulerError('subject-closed');
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
      bucket = { ...this.keyring.create(randomUUID()), scopes: 0, owners: 0 };
      this.#buckets.set(bucket.bucket_id, bucket);
      this.filling = bucket.bucket_id;
    }
    bucket.owners++;
    this.#ownerBuckets.set(key, [...own, bucket]);
    this.#joined.push({ owner, bucketId: bucket.bucket_id });
    return bucket;
  }

  /** `undefined` in a bucket whose key is damaged: that fails the group it concerns, when it is decided, and no other. */
  #identityIn(bucket: LockedBucket, request: ScopeRequest): Buffer | undefined {
    try {
      return scopeIdentity(this.keyring.keysOf(bucket), request);
    } catch (error) {
      if (isMakulerError(error, 'key-damaged')) return undefined;
      throw error;
    }
  }

  async #findExisting(requests: readonly ScopeRequest[]): Promise<void> {
    const places = requests.flatMap((request) =>
      (this.#ownerBuckets.get(ownerKey(request.owner)) ?? []).flatMap((bucket) => {
        const identity = this.#identityIn(bucket, request);
        return identity ? [{ bucketId: bucket.bucket_id, identity }] : [];
      }),
    );
    if (places.length === 0) return;
    const { rows } = await this.client.query<ScopeRow>({
      name: 'mint-existing',
      text: 'select scope.* from scope join unnest($1::uuid[], $2::bytea[]) as n(bucket, mac) on bucket_id = n.bucket and identity = n.mac',
      values: columns(places, 'bucketId', 'identity'),
    });
    for (const row of rows) this.#existing.set(columnKey(row.bucket_id!, row.identity!), row);
  }
}

/**
 * Buckets that grow must be as they were found: a record sealed under a key that was rotated away would be lost, and one that is
 * counted wrongly would never close. Behind `lock` they are. All of it is written, or none. Nothing is joined with a whole table:
 * PostgreSQL keeps the plan that it makes while the vault is next to empty, and that one reads all of it for each batch. Whether
 * an owner is new is left to the primary key for the same reason. Owners come before the vault's row, as everybody locks them.
 */
const WRITE = `
  with grown as materialized (
    select n.id, n.scopes, n.owners
    from (select * from unnest($7::int[], $8::int[], $9::uuid[], $10::int[], $11::int[], $12::int[])
            as n(scopes, owners, id, generation, scopes_found, owners_found) order by id) as n
    cross join lateral (
      select from bucket where bucket_id = n.id and generation = n.generation and scopes = scopes_found and owners = owners_found for update
    ) as locked
  ), fitting as materialized (
    select (select count(*) from grown) = cardinality($9::uuid[]) as fits
  ), met as (
    insert into owner (owner_kind, owner_id, state) select k, i, 'open' from fitting, unnest($13::text[], $14::uuid[]) as o(k, i)
    where fits returning 1
  ), counted as (
    update vault set mint_sequence = mint_sequence + $22 from fitting
    where fits and (select count(*) from met) = cardinality($14::uuid[]) and active = $23 and epoch = coalesce($24, epoch)
    returning incarnation, mint_sequence
  ), fresh as (
    insert into bucket (bucket_id, generation, epoch, wrapped, scopes, owners)
    select n.* from counted, unnest($1::uuid[], $2::int[], $3::int[], $4::bytea[], $5::int[], $6::int[]) as n
  ), filled as (
    update bucket set scopes = grown.scopes, owners = grown.owners from grown, counted where bucket.bucket_id = grown.id
  ), joined as (
    insert into owner_bucket (owner_kind, owner_id, bucket_id) select n.* from counted, unnest($15::text[], $16::uuid[], $17::uuid[]) as n
  ), made as (
    insert into scope (scope_id, bucket_id, state, identity, sealed)
    select id, in_bucket, 'live', mac, record from counted, unnest($18::uuid[], $19::uuid[], $20::bytea[], $21::bytea[]) as n(id, in_bucket, mac, record)
  )
  select fits, incarnation, mint_sequence from fitting left join counted on true`;

const columnKey = (bucketId: string, identity: Buffer): string => `${bucketId}:${identity.toString('base64')}`;
const rowOf = ({ scopeId, bucket, identity, sealed }: NewScope): ScopeRow => ({
  scope_id: scopeId,
  bucket_id: bucket.bucket_id,
  state: 'live',
  identity,
  sealed,
});

/** Rows as PostgreSQL takes them for `unnest`: an array for each column. */
const columns = <T, K extends keyof T>(rows: readonly T[], ...names: readonly K[]): T[K][][] =>
  names.map((name) => rows.map((row) => row[name]));
