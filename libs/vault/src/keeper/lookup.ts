import type { ScopeId } from '#kernel';
import { MakulerError } from '#kernel';
import type { Pool } from '#postgres';
import type { BucketRow, ScopeRow } from './buckets.js';
import type { BucketKeyring } from './keyring.js';

/**
 * What became of one scope id; of a live one its record as it was sealed (`sealScope`). `unknown`: there is no row; `damaged`: it
 * does not authenticate. Neither is ever an erasure.
 */
export type Looked =
  | { readonly state: 'live'; readonly record: Uint8Array }
  | { readonly state: 'expired' | 'erased' | 'lost' | 'unknown' | 'damaged' };

const UUID_BYTES = 16;
/** In the order of what a row of the statement below calls 0, 1, 2 …; 0 is no row. */
const STATES = ['unknown', 'live', 'expired', 'erased', 'lost'] as const;

/**
 * Scopes in the order asked for, and the buckets they lie in, each list as one value: an api that starts asks for every key there is, and
 * a row of its own for each would cost PostgreSQL and this process more than all the rest. Looked up one by one (`lateral … limit 1`),
 * or the plan for a small vault would read all of a large one. Scopes and buckets come from one statement and so from one snapshot: a
 * rotation between them can't be seen.
 *
 *     scope:  state (1 byte) ‖ bucket id (16) ‖ length (4) ‖ sealed
 *     bucket: bucket id (16) ‖ generation (4) ‖ epoch (4) ‖ length (4) ‖ wrapped
 */
const LOOK_UP = `
  with found as materialized (
    select asked.n, scope.* from unnest($1::uuid[]) with ordinality as asked (scope_id, n)
    left join lateral (select bucket_id, state, sealed from scope where scope.scope_id = asked.scope_id limit 1) scope on true
  )
  select
    (select string_agg(
       case state when 'live' then '\\x01' when 'expired' then '\\x02' when 'erased' then '\\x03' when 'lost' then '\\x04' else '\\x00' end::bytea
       || coalesce(uuid_send(bucket_id), '\\x00000000000000000000000000000000'::bytea)
       || int4send(coalesce(octet_length(sealed), 0)) || coalesce(sealed, ''), '' order by n) from found) as scopes,
    (select string_agg(uuid_send(bucket_id) || int4send(generation) || int4send(epoch) || int4send(octet_length(wrapped)) || wrapped, '')
     from bucket where bucket_id = any (array(select distinct bucket_id from found))) as buckets`;

/** Looks scopes up by id. A seal may end between the snapshot and now, and then what it said opens no more: it is read again. */
export const lookUp = async (
  pool: Pool,
  keyring: BucketKeyring,
  scopeIds: readonly ScopeId[],
): Promise<ReadonlyMap<ScopeId, Looked>> => {
  const read = async () => {
    const values = [`{${scopeIds.join(',')}}`];
    const { rows } = await pool.query<{ scopes: Buffer | null; buckets: Buffer | null }>({
      ...{ name: 'look-up', text: LOOK_UP, values },
    });
    const { scopes, buckets } = rows[0]!;
    return { scopes: scopes ?? EMPTY, buckets: bucketsIn(buckets ?? EMPTY) };
  };
  let found = await read();
  if ([...found.buckets.values()].some((bucket) => !keyring.hasKeyFor(bucket))) found = await read();
  const all = new Map<ScopeId, Looked>();
  let at = 0;
  for (const scopeId of scopeIds) {
    const state = STATES[found.scopes[at]!]!;
    const bucket = found.buckets.get(found.scopes.toString('latin1', at + 1, at + 1 + UUID_BYTES));
    const from = at + 1 + UUID_BYTES + 4;
    const sealed = found.scopes.subarray(from, (at = from + found.scopes.readInt32BE(from - 4)));
    all.set(scopeId, looked(keyring, scopeId, state, bucket, sealed));
  }
  return all;
};
const EMPTY = Buffer.alloc(0);

const bucketsIn = (bytes: Buffer): ReadonlyMap<string, BucketRow> => {
  const found = new Map<string, BucketRow>();
  for (let at = 0; at < bytes.length;) {
    const from = at + UUID_BYTES + 12;
    const end = from + bytes.readInt32BE(from - 4);
    found.set(bytes.toString('latin1', at, at + UUID_BYTES), {
      bucket_id: uuidText(bytes.subarray(at, at + UUID_BYTES)),
      generation: bytes.readInt32BE(at + UUID_BYTES),
      epoch: bytes.readInt32BE(at + UUID_BYTES + 4),
      wrapped: bytes.subarray(from, end),
    });
    at = end;
  }
  return found;
};

/** As PostgreSQL writes it: it is part of what the bucket's records are sealed with. */
const uuidText = (bytes: Buffer): string => bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');

const looked = (
  keyring: BucketKeyring,
  scopeId: ScopeId,
  state: ScopeRow['state'] | 'unknown',
  bucket: BucketRow | undefined,
  sealed: Buffer,
): Looked => {
  try {
    if (state === 'live') return { state, record: keyring.openRecord(scopeId, bucket, sealed) };
    // The state column alone is never believed: an expired one must authenticate as that.
    if (state === 'expired') keyring.openTombstone(scopeId, bucket, sealed);
    return { state };
  } catch (error) {
    if (error instanceof MakulerError && error.code === 'key-damaged') return { state: 'damaged' };
    throw error;
  }
};
