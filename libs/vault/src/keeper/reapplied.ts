import { randomUUID } from 'node:crypto';
import type { OwnerRef } from '#kernel';
import type { Pool, PoolClient } from '#postgres';
import type { Reapplied, Reconciliation } from '../recovery-contract.js';
import type { ScopeInfo } from '../shredder-contract.js';
import type { BucketKeyring } from './keyring.js';
import { scopesOf } from './owner-scopes.js';

/** What a start has mended and the log may not know of. */
export interface Unrecorded {
  readonly reconciliations: readonly Reconciliation[];
  readonly owners: readonly Reapplied[];
}

/** What of it stands in the log by now. */
export interface Recorded {
  readonly reconciliations: readonly string[];
  readonly owners: readonly OwnerRef[];
}

/** Shreds of these owners were applied again, in the transaction that did it. */
export const noteReapplied = async (client: PoolClient, owners: readonly OwnerRef[]): Promise<void> => {
  await client.query(
    `update owner set reapplied = true from unnest($1::text[], $2::uuid[]) as o(k, i) where owner_kind = k and owner_id = i`,
    [owners.map(({ kind }) => kind), owners.map(({ id }) => id)],
  );
};

/** A start has applied so many shreds again. */
export const noteReconciled = async (client: PoolClient, applied: number): Promise<void> => {
  await client.query('insert into reconciliation (id, applied) values ($1, $2)', [randomUUID(), applied]);
};

export const readUnrecorded = async (pool: Pool, keyring: BucketKeyring): Promise<Unrecorded> => {
  const { rows } = await pool.query<{ id: string; applied: string }>('select id, applied from reconciliation');
  const { rows: owners } = await pool.query<{ kind: OwnerRef['kind']; id: string; erased: boolean }>(
    `select owner_kind as kind, owner_id as id, state in ('erasing', 'closed') as erased from owner where reapplied`,
  );
  const told: Reapplied[] = [];
  // One after the other: after a loss of events these are all who were ever erased.
  for (const { kind, id, erased } of owners) {
    const owner = { kind, id } as OwnerRef;
    told.push({ owner, erased, ...countsOf(await scopesOf(pool, keyring, owner)) });
  }
  return { reconciliations: rows.map(({ id, applied }) => ({ id, applied: Number(applied) })), owners: told };
};

const countsOf = (scopes: readonly ScopeInfo[]): Pick<Reapplied, 'retained' | 'expired'> => {
  const retained = new Set<string>();
  const expired: Record<string, number> = {};
  for (const { category, state } of scopes)
    if (state === 'live') retained.add(category);
    else expired[category] = (expired[category] ?? 0) + 1;
  return { retained: [...retained], expired };
};

export const noteRecorded = async (client: PoolClient, { reconciliations, owners }: Recorded): Promise<void> => {
  await client.query('delete from reconciliation where id = any($1::uuid[])', [reconciliations]);
  await client.query(
    `update owner set reapplied = false from unnest($1::text[], $2::uuid[]) as o(k, i) where owner_kind = k and owner_id = i`,
    [owners.map(({ kind }) => kind), owners.map(({ id }) => id)],
  );
};
