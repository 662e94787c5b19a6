import type { OwnerRef, ScopeId } from '#kernel';
import type { Pool, PoolClient } from '#postgres';
import type { Write } from './active.js';
import type { BucketKeyring } from './keyring.js';
import { ownerKey } from './buckets.js';
import type { CustodianState, JournalEntry } from './custodian/custodian-state.js';
import type { CustodianMirrors } from './custodian/mirrors.js';
import { closeOwners, dropExceptions } from './fences.js';
import { lockOwners } from './owners.js';
import { noteReapplied } from './reapplied.js';
import { storeReceipt } from './receipts.js';
import { dissolve } from './shredding.js';
import type { Destroyed, Doomed } from './tombstones.js';
import { beginErasing, bury, lockScopes } from './tombstones.js';

/** Entries whose tombstones are looked for in one query, and applied in one transaction. */
const CHUNK = 1_000;

/**
 * Applies the journal before anything is served: entries whose tombstones are missing (a crash between the two, or a
 * database from before them) are applied again. Returns how many. Shreds are the union of journal and tombstones.
 */
export const replayJournal = async (vault: JournaledVault): Promise<number> => {
  const { custodian } = vault;
  const state = custodian.state!;
  let applied = 0;
  for (const { orderId, entries } of state.pending) applied += await applyOrder(vault, orderId, entries);
  for (let first = 0; first < state.shredded.length; first += CHUNK)
    applied += await applyEntries(vault, state.shredded.slice(first, first + CHUNK));
  applied += await closeAgain(vault, state);
  if (state.pending.length > 0)
    await custodian.change((now) => dissolve(new Set(state.pending.map(({ orderId }) => orderId)), now));
  return applied;
};

export interface JournaledVault {
  /** For reading. */
  readonly pool: Pool;
  readonly write: Write;
  readonly keyring: BucketKeyring;
  readonly custodian: CustodianMirrors;
}

const applyOrder = (vault: JournaledVault, orderId: string, entries: readonly JournalEntry[]): Promise<number> =>
  vault.write(async (client) => {
    const { applied, destroyed, epoch } = await apply(client, vault, entries);
    await storeReceipt(client, orderId, destroyed, epoch);
    return applied;
  });

const applyEntries = async (vault: JournaledVault, entries: readonly JournalEntry[]): Promise<number> => {
  const missing = await withoutTombstone(vault.pool, entries);
  if (missing.length === 0) return 0;
  return vault.write(async (client) => (await apply(client, vault, missing)).applied);
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
  { keyring, custodian }: JournaledVault,
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
  const later = laterEpochs(missing, doomed);
  if (later.size > 0) await custodian.change((state) => raised(state, later));
  let epoch = Math.max(0, ...entries.map((entry) => entry.epoch), ...later.values());
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

/**
 * Of entries whose bucket lies in a later epoch than they say. The transaction that wrote them to the journal held the bucket's
 * lock and was rolled back; a seal that waited for it has wrapped the key under the next epoch before the gate was closed. A
 * copy from in between opens under that root, so the entry stays until it is gone.
 */
const laterEpochs = (entries: readonly JournalEntry[], doomed: readonly Doomed[]): ReadonlyMap<string, number> => {
  const now = new Map(doomed.map(({ row, bucket }) => [row.scope_id, bucket?.epoch ?? 0]));
  return new Map(
    entries.flatMap(({ scopeId, epoch }) => {
      const later = now.get(scopeId) ?? 0;
      return later > epoch ? [[scopeId, later] as const] : [];
    }),
  );
};

const raised = (
  { pending, shredded }: CustodianState,
  later: ReadonlyMap<string, number>,
): Pick<CustodianState, 'pending' | 'shredded'> => {
  const raise = (entry: JournalEntry) => ({ ...entry, epoch: Math.max(entry.epoch, later.get(entry.scopeId) ?? 0) });
  return {
    pending: pending.map(({ orderId, entries }) => ({ orderId, entries: entries.map(raise) })),
    shredded: shredded.map(raise),
  };
};

const closeAgain = async (
  { pool, write, keyring, custodian }: JournaledVault,
  { closed }: CustodianState,
): Promise<number> => {
  const { rows } = await pool.query<{ owner_id: string }>(`select owner_id from owner where state = 'closed'`);
  const present = new Set(rows.map(({ owner_id }) => owner_id));
  const missing = closed.filter(({ id }) => !present.has(id));
  if (missing.length === 0) return 0;
  const later = await bucketEpochs(pool, missing);
  if (missing.some(({ id, epoch }) => (later.get(id) ?? 0) > epoch))
    await custodian.change((state) => ({
      closed: state.closed.map((one) => ({ ...one, epoch: Math.max(one.epoch, later.get(one.id) ?? 0) })),
    }));
  await write(async (client) => {
    await lockOwners(client, missing);
    await closeOwners(client, keyring, missing);
    await noteReapplied(client, missing);
  });
  return missing.length;
};

/** The latest epoch that the buckets of each owner lie in: as for the entries above, a seal may have moved them on. */
const bucketEpochs = async (pool: Pool, owners: readonly OwnerRef[]): Promise<ReadonlyMap<string, number>> => {
  const { rows } = await pool.query<{ owner_id: string; epoch: number }>(
    'select owner_id, max(epoch) as epoch from owner_bucket join bucket using (bucket_id) where owner_id = any($1::uuid[]) group by owner_id',
    [owners.map(({ id }) => id)],
  );
  return new Map(rows.map(({ owner_id: id, epoch }) => [id, epoch]));
};
