import type { OwnerRef } from '#kernel';
import type { Pool, PoolClient } from '#postgres';
import { inTransaction } from '#postgres';
import { ownerKey } from './buckets.js';
import type { BucketKeyring } from './keyring.js';
import { scopesOf } from './lookup.js';
import type { Forgot } from './log-witness.js';
import { beginErasing } from './tombstones.js';

/**
 * How many owners the log names as forgotten of whom the vault still has what was destroyed. Asked after the journal was
 * applied, so that whoever is left is one whom a newer custodian would know.
 */
export const stillThere = async (pool: Pool, keyring: BucketKeyring, forgot: readonly Forgot[]): Promise<number> => {
  if (forgot.length === 0) return 0;
  const states = await ownerStates(pool);
  const shut = (owner: OwnerRef) => ['erasing', 'closed'].includes(states.get(ownerKey(owner)) ?? '');
  const erased = forgot.filter(({ kind, owner }) => kind === 'erased' && !shut(owner));
  // Nothing was destroyed of them: the journal has no entry that could have told, and their fence is put up again.
  const empty = erased.filter(({ keys }) => sumOf(keys) === 0).map(({ owner }) => owner);
  if (empty.length > 0) await inTransaction(pool, (client) => beginErasing(client, empty));
  const present = new Set(erased.filter(({ keys }) => sumOf(keys) > 0).map(({ owner }) => ownerKey(owner)));
  for (const { owner, keys } of expiriesOf(forgot))
    // Behind an erasure nothing is listed any more; that the owner is shut has been seen above.
    if (!shut(owner) && !(await hasExpired(pool, keyring, owner, keys))) present.add(ownerKey(owner));
  return present.size;
};

const sumOf = (keys: Forgot['keys']): number => Object.values(keys).reduce((sum, count) => sum + count, 0);

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
