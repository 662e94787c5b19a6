import { randomUUID } from 'node:crypto';
import type { OwnerRef, ScopeId } from '#kernel';
import { isMakulerError, MakulerError, randomPart } from '#kernel';
import type { Pool, PoolClient } from '#postgres';
import { v7 } from 'uuid';
import { newKeys, wipe } from '../aead.js';
import type { ScopeRequest } from '../vault.js';
import type { Ask, SequenceRow } from './active.js';
import { readSequence } from './active.js';
import type { BucketRow, ScopeRow } from './buckets.js';
import { BUCKET_OWNERS, BUCKET_SCOPES, ownerKey } from './buckets.js';
import { EpochMoved } from './epochs/epoch-moved.js';
import type { BucketKeyring } from './keyring.js';
import type { CountedBucket } from './mint-write.js';
import { columns, writeMinted } from './mint-write.js';
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
  /** This life of the database, and how many of its keys were handed out: one that has another, or counts fewer, is an earlier one. */
  readonly incarnation: string;
  readonly handedOut: () => number;
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
 * One transaction of minting: every row it decides on is locked (`lock`, for which `client` must be in one), or looked at by the
 * one statement that writes (`assume`), and what it makes is kept until it is written.
 */
export class Minting {
  readonly #buckets = new Map<string, LockedBucket>();
  readonly #ownerBuckets = new Map<string, LockedBucket[]>();
  readonly #existing = new Map<string, ScopeRow>();
  readonly #made = new Map<string, NewScope>();
  readonly #joined: { owner: OwnerRef; bucketId: string }[] = [];
  #owners = new Map<string, OwnerRow>();
  #identity: { readonly bucket: LockedBucket; readonly request: ScopeRequest; readonly identity: Buffer } | undefined;
  /** Takes back what was made for the group that is being decided, the last first. */
  #undo: (() => void)[] = [];

  constructor(
    private readonly client: Pool | PoolClient,
    private readonly ask: Ask,
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
    this.#owners = await lockKnownOwners(this.client as PoolClient, [...owners.values()]);
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
    this.#undo = [];
    const fresh: Uint8Array[] = [];
    try {
      const found = requests.map((request) => this.#decide(request));
      const before = this.#made.size;
      fresh.push(...newKeys(found.filter((key) => !key).length));
      const keys = found.map((key, index) => key ?? this.#make(requests[index]!, fresh.pop()!));
      return { keys, made: this.#made.size - before };
    } catch (error) {
      if (!(error instanceof MakulerError)) throw error;
      // One scope for two streams, or a bucket whose key is damaged: what was made of the group before is nobody's.
      for (const undo of this.#undo.toReversed()) undo();
      for (const key of fresh) wipe(key);
      return { refused: error };
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
    const { token, incarnation } = this.surroundings;
    const row = await writeMinted(this.ask, {
      ...{ fresh, grown, met: met.map(([, owner]) => owner), joined: this.#joined, made: made.map(rowOf) },
      ...{ token, incarnation, epoch: fresh[0]?.epoch, handedOut: this.surroundings.handedOut() },
    });
    if (!row.fits) throw new Refuted();
    if (row.incarnation !== null) return row;
    const present = await readSequence(this.client, this.surroundings.token);
    // Of an earlier database too, which is for `counted` to find.
    if (
      present?.incarnation === this.surroundings.incarnation &&
      Number(present.mint_sequence) >= this.surroundings.handedOut()
    )
      throw new EpochMoved();
    return present;
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
      const identity = this.#identityOf(bucket, request);
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

  #make(request: ScopeRequest, dataKey: Uint8Array): MintedKey {
    // Twice in one group: the second finds what the first made.
    const twin = this.#decide(request);
    if (twin) {
      wipe(dataKey);
      return twin;
    }
    const bucket = this.#bucketFor(request.owner);
    const keys = this.keyring.keysOf(bucket);
    const scopeId = newScopeId(this.surroundings.nowMs());
    const { owner, category, partition, stream } = request;
    const place = { bucketId: bucket.bucket_id, generation: bucket.generation, scopeId };
    const identity = this.#identityOf(bucket, request);
    const sealed = sealScope(keys, place, { owner, category, partition, stream }, dataKey);
    const column = columnKey(bucket.bucket_id, identity);
    bucket.scopes++;
    this.#made.set(column, { scopeId, bucket, identity, sealed, dataKey });
    this.#undo.push(() => {
      wipe(dataKey);
      bucket.scopes--;
      this.#made.delete(column);
    });
    return { scopeId, dataKey };
  }

  #bucketFor(owner: OwnerRef): LockedBucket {
    const key = ownerKey(owner);
    const own = this.#ownerBuckets.get(key) ?? [];
    const open = own.find(({ scopes }) => scopes < BUCKET_SCOPES);
    if (open) return open;
    const before = this.filling;
    let bucket = before === undefined ? undefined : this.#buckets.get(before);
    if (!bucket || bucket.scopes >= BUCKET_SCOPES || bucket.owners >= BUCKET_OWNERS) {
      const fresh: LockedBucket = { ...this.keyring.create(randomUUID()), scopes: 0, owners: 0 };
      this.#buckets.set(fresh.bucket_id, fresh);
      this.filling = fresh.bucket_id;
      this.#undo.push(() => {
        this.#buckets.delete(fresh.bucket_id);
        this.filling = before;
      });
      bucket = fresh;
    }
    const joined = bucket;
    joined.owners++;
    this.#ownerBuckets.set(key, [...own, joined]);
    this.#joined.push({ owner, bucketId: joined.bucket_id });
    this.#undo.push(() => {
      joined.owners--;
      this.#ownerBuckets.set(key, own);
      this.#joined.pop();
    });
    return joined;
  }

  /** The last one is kept: a key is looked for before it is made. */
  #identityOf(bucket: LockedBucket, request: ScopeRequest): Buffer {
    const last = this.#identity;
    if (last?.bucket === bucket && last.request === request) return last.identity;
    const identity = scopeIdentity(this.keyring.keysOf(bucket), request);
    this.#identity = { bucket, request, identity };
    return identity;
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

const columnKey = (bucketId: string, identity: Buffer): string => `${bucketId}:${identity.toString('base64')}`;
const rowOf = ({ scopeId, bucket, identity, sealed }: NewScope): ScopeRow => ({
  scope_id: scopeId,
  bucket_id: bucket.bucket_id,
  state: 'live',
  identity,
  sealed,
});
