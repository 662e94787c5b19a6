import type { Pool, PoolClient } from '#postgres';
import type { CustodianState } from '../custodian/custodian-state.js';

/** A row of `epoch`. The custodian decides what exists; this table remembers when what happened. */
export interface EpochRow {
  readonly epoch: number;
  readonly opened_at: Date;
  readonly sealed_at: Date | null;
  readonly destroy_at: Date | null;
  readonly destroyed_at: Date | null;
  /** Since then its roots are given up: nobody can confirm that they are gone. */
  readonly lost_at: Date | null;
}

export const readEpochs = async (pool: Pool | PoolClient): Promise<readonly EpochRow[]> =>
  (await pool.query<EpochRow>('select * from epoch order by epoch')).rows;

/**
 * Brings the table up to what the custodian says: a crash, or a restored database, may have left it behind. An instant that
 * nobody noted is taken to be now, so that no date is earlier than what really happened.
 */
export const adoptEpochs = async (
  client: PoolClient,
  state: CustodianState,
  current: number,
  now: Date,
): Promise<void> => {
  await client.query(
    `insert into epoch (epoch, opened_at) select n, $2 from generate_series(1, $1::int) as g(n) on conflict do nothing`,
    [current, now],
  );
  await noteSealed(client, state);
  await client.query(
    `update epoch set destroyed_at = $3, sealed_at = coalesce(sealed_at, $3), destroy_at = coalesce(destroy_at, $3)
     where destroyed_at is null and lost_at is null and epoch < $1 and not epoch = any($2::int[])`,
    [current, state.epochs, now],
  );
};

export const noteOpened = async (client: PoolClient, epoch: number, at: Date): Promise<void> => {
  // A restored database may know the epoch from a life that its later ones have overtaken.
  await client.query(
    'insert into epoch (epoch, opened_at) values ($1, $2) on conflict (epoch) do update set opened_at = excluded.opened_at',
    [epoch, at],
  );
};

/** Takes the dates of sealed epochs over from the custodian. */
export const noteSealed = async (client: PoolClient, { retiring }: CustodianState): Promise<void> => {
  await client.query(
    `update epoch set sealed_at = n.sealed, destroy_at = n.destroy
     from unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) as n(id, sealed, destroy) where epoch = n.id`,
    [
      retiring.map(({ epoch }) => epoch),
      retiring.map(({ sealedAt }) => sealedAt),
      retiring.map(({ destroyAt }) => destroyAt),
    ],
  );
};

/** Epochs before this one whose roots neither exist at the custodian nor are known to be destroyed. */
export const noteLost = async (
  client: PoolClient,
  before: number,
  existing: readonly number[],
  at: Date,
): Promise<void> => {
  await client.query(
    `insert into epoch (epoch, opened_at, lost_at) select n, $3, $3 from generate_series(1, $1::int - 1) as g(n)
     where not n = any($2::int[])
     on conflict (epoch) do update set lost_at = excluded.lost_at where epoch.destroyed_at is null and epoch.lost_at is null`,
    [before, existing, at],
  );
};

export const noteDestroyed = async (client: PoolClient, epoch: number, at: Date): Promise<void> => {
  await client.query('update epoch set destroyed_at = $2 where epoch = $1 and destroyed_at is null', [epoch, at]);
};
