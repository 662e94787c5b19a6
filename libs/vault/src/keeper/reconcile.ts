import type { OwnerRef, ScopeId } from '#kernel';
import type { Pool, PoolClient } from '#postgres';
import { inTransaction } from '#postgres';
import type { BucketKeyring } from './keyring.js';
import { ownerKey } from './buckets.js';
import type { CustodianState, JournalEntry } from './custodian/custodian-state.js';
import type { CustodianMirrors } from './custodian/mirrors.js';
import { closeOwners, dropExceptions } from './fences.js';
import { lockOwners } from './owners.js';
import { noteReapplied } from './reapplied.js';
import { storeReceipt } from './receipts.js';
import { dissolve } from './shredding.js';
import type { Destroyed } from './tombstones.js';
import { beginErasing, bury, lockScopes } from './tombstones.js';

/** Entries whose tombstones are looked for in one query, and applied in one transaction. */
const CHUNK = 1_000;

/**
 * Applies the journal before anything is served: entries whose tombstones are missing (a crash between the two, or a
 * database from before them) are applied again. Returns how many. Shreds are the union of journal and tombstones.
 */
export const replayJournal = async (
  pool: Pool,
  keyring: BucketKeyring,
  custodian: CustodianMirrors,
): Promise<number> => {
  const state = custodian.state!;
  let applied = 0;
  for (const { orderId, entries } of state.pending) applied += await applyOrder(pool, keyring, orderId, entries);
  for (let first = 0; first < state.shredded.length; first += CHUNK)
    applied += await applyEntries(pool, keyring, state.shredded.slice(first, first + CHUNK));
  applied += await closeAgain(pool, keyring, state);
  if (state.pending.length > 0)
    await custodian.change((now) => dissolve(new Set(state.pending.map(({ orderId }) => orderId)), now));
  return applied;
};

const applyOrder = (
  pool: Pool,
  keyring: BucketKeyring,
  orderId: string,
  entries: readonly JournalEntry[],
): Promise<number> =>
  inTransaction(pool, async (client) => {
    const { applied, destroyed, epoch } = await apply(client, keyring, entries);
    await storeReceipt(client, orderId, destroyed, epoch);
    return applied;
  });

const applyEntries = async (pool: Pool, keyring: BucketKeyring, entries: readonly JournalEntry[]): Promise<number> => {
  const missing = await withoutTombstone(pool, entries);
  if (missing.length === 0) return 0;
  return inTransaction(pool, async (client) => (await apply(client, keyring, missing)).applied);
};

const withoutTombstone = async (
  pool: Pool | PoolClient,
  entries: readonly JournalEntry[],
): Promise<readonly JournalEntry[]> => {
  const { rows } = await pool.query<{ scope_id: ScopeId; state: string }>(
    'select scope_id, state from scope where scope_id = any($1)',
    [entries.map(({ scopeId }) => scopeId)],
  );
  const states = new Map(rows.map((row) => [row.scope_id, row.state]));
  return entries.filter(({ scopeId, kind }) => {
    const state = states.get(scopeId);
    // What is lost has no key that could expire; that its owner was erased is said of it all the same.
    return state !== 'erased' && state !== kind && !(state === 'lost' && kind === 'expired');
  });
};

const apply = async (
  client: PoolClient,
  keyring: BucketKeyring,
  entries: readonly JournalEntry[],
): Promise<{ applied: number; destroyed: readonly Destroyed[]; epoch: number }> => {
  const missing = await withoutTombstone(client, entries);
  const doomed = await lockScopes(
    client,
    keyring,
    missing.map(({ scopeId }) => scopeId),
  );
  const toErase = new Set(missing.flatMap(({ scopeId, kind }) => (kind === 'erased' ? [scopeId] : [])));
  const erasing = new Map<string, OwnerRef>();
  const mended = new Map<string, OwnerRef>();
  for (const { row, opened } of doomed)
    if ('record' in opened) {
      mended.set(ownerKey(opened.record.owner), opened.record.owner);
      if (toErase.has(row.scope_id)) erasing.set(ownerKey(opened.record.owner), opened.record.owner);
    }
  let epoch = Math.max(0, ...entries.map((entry) => entry.epoch));
  for (const owner of erasing.values()) {
    const named = doomed.filter(({ row }) => toErase.has(row.scope_id));
    epoch = Math.max(epoch, await dropExceptions(client, keyring, owner, named));
  }
  if (erasing.size > 0) await beginErasing(client, [...erasing.values()]);
  await noteReapplied(client, [...mended.values()]);
  const destroyed = await bury(client, keyring, doomed, missing);
  // A database from before the scope was minted: the journal knows that it is shredded, so it is not an unknown one.
  const present = new Set(doomed.map(({ row }) => row.scope_id));
  await client.query(`insert into scope (scope_id, state) select unnest($1::uuid[]), 'erased'`, [
    missing.flatMap(({ scopeId }) => (present.has(scopeId) ? [] : [scopeId])),
  ]);
  return { applied: missing.length, destroyed, epoch };
};

const closeAgain = async (pool: Pool, keyring: BucketKeyring, { closed }: CustodianState): Promise<number> => {
  const { rows } = await pool.query<{ owner_id: string }>(`select owner_id from owner where state = 'closed'`);
  const present = new Set(rows.map(({ owner_id }) => owner_id));
  const missing = closed.filter(({ id }) => !present.has(id));
  if (missing.length > 0)
    await inTransaction(pool, async (client) => {
      await lockOwners(client, missing);
      await closeOwners(client, keyring, missing);
      await noteReapplied(client, missing);
    });
  return missing.length;
};
