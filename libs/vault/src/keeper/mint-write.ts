import type { OwnerRef, ScopeId } from '#kernel';
import { DatabaseError } from '#postgres';
import type { Ask, SequenceRow } from './active.js';
import type { BucketRow } from './buckets.js';
import { EpochMoved } from './epochs/epoch-moved.js';

/** A bucket, and how many scopes and owners are in it. */
export interface CountedBucket extends BucketRow {
  readonly scopes: number;
  readonly owners: number;
}

/** What a batch has made, and what must be so when it is written. */
interface Minted {
  readonly fresh: readonly CountedBucket[];
  /** Buckets as they were found, and the counts that they have now. */
  readonly grown: readonly { readonly found: CountedBucket; readonly scopes: number; readonly owners: number }[];
  /** Owners who have no row yet. */
  readonly met: readonly OwnerRef[];
  readonly joined: readonly { readonly owner: OwnerRef; readonly bucketId: string }[];
  readonly made: readonly {
    readonly scope_id: ScopeId;
    readonly bucket_id: string | null;
    readonly identity: Buffer | null;
    readonly sealed: Buffer | null;
  }[];
  /** The right to write, and the life of the database, which the vault's row must still show. */
  readonly token: string;
  readonly incarnation: string;
  /** Of the fresh buckets: a later one must not have begun. */
  readonly epoch: number | undefined;
  /** Keys that were handed out: a row that counts fewer is that of an earlier database. */
  readonly handedOut: number;
}

/** `fits`: whether buckets were as they were found. `incarnation` is null when the vault's row was not as it must be. Then nothing was written. */
export type Written = { readonly fits: boolean } & (SequenceRow | { readonly incarnation: null });

/**
 * Writes a batch in one statement, which is a transaction by itself where `ask` is in none. Insert-only. Throws a unique violation
 * when something of it is there already, and EpochMoved when a seal has begun another epoch just now: nothing was written.
 */
export const writeMinted = async (
  ask: Ask,
  { fresh, grown, met, joined, made, ...vault }: Minted,
): Promise<Written> => {
  const before = grown.map(({ found }) => found);
  const joining = joined.map(({ owner }) => owner);
  const statement = {
    name: 'mint-write',
    text: WRITE,
    // $1 and $2 are the lease's; the groups of columns below begin at $3, $9, $11, $15, $17, $19, $20 and $24.
    values: [
      ...columns(fresh, 'bucket_id', 'generation', 'epoch', 'wrapped', 'scopes', 'owners'),
      ...columns(grown, 'scopes', 'owners'),
      ...columns(before, 'bucket_id', 'generation', 'scopes', 'owners'),
      ...columns(met, 'kind', 'id'),
      ...columns(joining, 'kind', 'id'),
      ...columns(joined, 'bucketId'),
      ...columns(made, 'scope_id', 'bucket_id', 'identity', 'sealed'),
      ...[made.length, vault.token, vault.epoch ?? null, vault.incarnation, vault.handedOut],
    ],
  };
  try {
    return (await ask<Written>(statement))[0]!;
  } catch (error) {
    throw error instanceof DatabaseError && error.code === DIVISION_BY_ZERO ? new EpochMoved() : error;
  }
};

const DIVISION_BY_ZERO = '22012';

/**
 * Buckets that grow must be as they were found: a record sealed under a key that was rotated away would be lost, and one that is
 * counted wrongly would never close (after `Minting.lock` they always are). All of it is written, or none: the vault's row is looked at
 * first, and a seal that changes it while this waits for the row makes it divide by zero, which takes back the owners too. Nothing is joined
 * with a whole table: PostgreSQL keeps the plan that it makes while the vault is next to empty, and that one reads all of it for each batch.
 * So whether an owner is new is left to the primary key, and a bucket that grows, which is there and locked, is written as a conflict:
 * that goes by the index always. Owners come before the vault's row, as everybody locks them.
 */
const WRITE = `
  grown as materialized (
    select n.id, n.scopes, n.owners, locked.*
    from held cross join (select * from unnest($9::int[], $10::int[], $11::uuid[], $12::int[], $13::int[], $14::int[])
            as n(scopes, owners, id, generation, scopes_found, owners_found) order by id) as n
    cross join lateral (
      select generation, epoch, wrapped from bucket
      where bucket_id = n.id and generation = n.generation and scopes = scopes_found and owners = owners_found for update
    ) as locked
  ), fitting as materialized (
    select (select count(*) from grown) = cardinality($11::uuid[]) as fits,
           exists (select from vault where active = $25 and epoch = coalesce($26, epoch) and incarnation = $27 and mint_sequence >= $28) as current
    from held
  ), met as (
    insert into owner (owner_kind, owner_id, state) select k, i, 'open' from fitting, unnest($15::text[], $16::uuid[]) as o(k, i)
    where fits and current returning 1
  ), counted as (
    update vault set mint_sequence = mint_sequence + $24 from fitting
    where fits and current and (select count(*) from met) = cardinality($16::uuid[])
      and active = $25 and epoch = coalesce($26, epoch) and incarnation = $27 and mint_sequence >= $28
    returning incarnation, mint_sequence
  ), fresh as (
    insert into bucket (bucket_id, generation, epoch, wrapped, scopes, owners)
    select n.* from counted, unnest($3::uuid[], $4::int[], $5::int[], $6::bytea[], $7::int[], $8::int[]) as n
  ), filled as (
    insert into bucket (bucket_id, generation, epoch, wrapped, scopes, owners)
    select id, generation, epoch, wrapped, scopes, owners from grown, counted
    on conflict (bucket_id) do update set scopes = excluded.scopes, owners = excluded.owners
  ), joined as (
    insert into owner_bucket (owner_kind, owner_id, bucket_id) select n.* from counted, unnest($17::text[], $18::uuid[], $19::uuid[]) as n
  ), made as (
    insert into scope (scope_id, bucket_id, state, identity, sealed)
    select id, in_bucket, 'live', mac, record from counted, unnest($20::uuid[], $21::uuid[], $22::bytea[], $23::bytea[]) as n(id, in_bucket, mac, record)
  )
  select fits, incarnation, mint_sequence, 1 / case when fits and current and incarnation is null then 0 else 1 end as whole
  from fitting left join counted on true`;

/** Rows as PostgreSQL takes them for `unnest`: an array for each column. */
export const columns = <T, K extends keyof T>(rows: readonly T[], ...names: readonly K[]): T[K][][] =>
  names.map((name) => rows.map((row) => row[name]));
