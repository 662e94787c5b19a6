import type { OwnerRef } from '#kernel';
import type { Pool, PoolClient } from '#postgres';
import type { Write } from './active.js';
import { ownerKey } from './buckets.js';
import type { BucketKeyring } from './keyring.js';
import { scopesOf } from './owner-scopes.js';
import type { Forgot } from './log-witness.js';
import { beginErasing } from './tombstones.js';

/**
 * How many owners the log names as forgotten of whom the vault still has what was destroyed. Asked after the journal was
 * applied, so that whoever is left is one whom a newer custodian would know. Of an erased owner nothing may live in a category
 * that was destroyed; where nothing does, their fence is put up again: the journal may have let go of them.
 */
export const stillThere = async (
  { pool, write }: { readonly pool: Pool; readonly write: Write },
  keyring: BucketKeyring,
  forgot: readonly Forgot[],
): Promise<number> => {
  if (forgot.length === 0) return 0;
  const states = await ownerStates(pool);
  const isShut = (owner: OwnerRef) => ['erasing', 'closed'].includes(states.get(ownerKey(owner)) ?? '');
  const present = new Set<string>();
  const gone: OwnerRef[] = [];
  for (const { owner, keys } of forgot.filter(({ kind, owner }) => kind === 'erased' && !isShut(owner)))
    if ((await scopesOf(pool, keyring, owner)).some(({ state, category }) => state === 'live' && keys[category]))
      present.add(ownerKey(owner));
    else gone.push(owner);
  if (gone.length > 0) await write((client) => beginErasing(client, gone));
  const settled = await settledSequence(pool);
  for (const { owner, keys } of expiriesOf(forgot.filter(({ sequence }) => sequence > settled)))
    // Behind an erasure nothing is listed any more; that the owner is shut has been seen above.
    if (!isShut(owner) && !(await hasExpired(pool, keyring, owner, keys))) present.add(ownerKey(owner));
  return present.size;
};

/** Up to which event nothing that was minted is left: tombstones went with the keys when that was accepted. */
const settledSequence = async (pool: Pool): Promise<number> =>
  Number(
    (await pool.query<{ settled: string | null }>('select max(log_sequence) as settled from accepted_loss')).rows[0]
      ?.settled ?? 0,
  );

const ownerStates = async (pool: Pool | PoolClient): Promise<ReadonlyMap<string, string>> => {
  const { rows } = await pool.query<{ kind: OwnerRef['kind']; id: string; state: string }>(
    `select owner_kind as kind, owner_id as id, state from owner where state in ('erasing', 'closed')`,
  );
  return new Map(rows.map(({ kind, id, state }) => [ownerKey({ kind, id } as OwnerRef), state]));
};

/** One for each owner, with all that expired of them. */
const expiriesOf = (forgot: readonly Forgot[]): Iterable<Pick<Forgot, 'owner' | 'keys'>> => {
  const all = new Map<string, { owner: OwnerRef; keys: Record<string, number> }>();
  for (const { owner, kind, keys } of forgot) {
    if (kind !== 'expired') continue;
    const found = all.get(ownerKey(owner)) ?? { owner, keys: {} };
    for (const [category, count] of Object.entries(keys)) found.keys[category] = (found.keys[category] ?? 0) + count;
    all.set(ownerKey(owner), found);
  }
  return all.values();
};

/** Whether so many tombstones are there. */
const hasExpired = async (
  pool: Pool,
  keyring: BucketKeyring,
  owner: OwnerRef,
  keys: Forgot['keys'],
): Promise<boolean> => {
  const tombstones = (await scopesOf(pool, keyring, owner)).filter(({ state }) => state === 'shredded');
  return Object.entries(keys).every(
    ([category, count]) => tombstones.filter((scope) => scope.category === category).length >= count,
  );
};
