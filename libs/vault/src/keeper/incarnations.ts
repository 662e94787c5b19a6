import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from '#postgres';

/**
 * Every life that this database knows, with the count of keys up to which it knows what was made in it: for an ended one
 * where it ended, for the present one how many keys there are now. Empty before the installation was founded.
 */
export const readIncarnations = async (pool: Pool | PoolClient): Promise<ReadonlyMap<string, number>> => {
  const { rows } = await pool.query<{ id: string; known: string }>(
    'select id, coalesce(ended_at_sequence, mint_sequence) as known from incarnation, vault',
  );
  return new Map(rows.map(({ id, known }) => [id, Number(known)]));
};

export interface NewIncarnation {
  /** A random UUID that no log knows; by itself one is made. */
  readonly id?: string;
  readonly accepted?: ReadonlyMap<string, number>;
}

/** The first life, in the transaction that makes the vault's row. */
export const writeFirstIncarnation = async (client: PoolClient, incarnation: string): Promise<void> => {
  await client.query('insert into incarnation (id, begun_at_sequence) values ($1, 0)', [incarnation]);
};

/**
 * Begins another life of the database, in the caller's transaction: after a restore, and when losses were accepted. What
 * was minted in a life after it ended is unknown here, and the gate finds it. `accepted` says up to which count that is
 * settled all the same: those keys are lost and named as lost. The count of keys goes on: no number is given twice.
 */
export const beginIncarnation = async (
  client: PoolClient,
  { id: incarnation = randomUUID(), accepted = new Map() }: NewIncarnation = {},
): Promise<string> => {
  // Counts go on above every one that is settled, so that a number in the log never means two sessions.
  await client.query('update vault set mint_sequence = greatest(mint_sequence, $1)', [
    Math.max(0, ...accepted.values()),
  ]);
  await client.query(
    'update incarnation set ended_at_sequence = (select mint_sequence from vault) where ended_at_sequence is null',
  );
  await client.query(
    `insert into incarnation (id, begun_at_sequence, ended_at_sequence) select id, 0, count from unnest($1::uuid[], $2::bigint[]) as n(id, count)
     on conflict (id) do update set ended_at_sequence = greatest(incarnation.ended_at_sequence, excluded.ended_at_sequence)`,
    [[...accepted.keys()], [...accepted.values()]],
  );
  await client.query('insert into incarnation (id, begun_at_sequence) select $1, mint_sequence from vault', [
    incarnation,
  ]);
  await client.query('update vault set incarnation = $1', [incarnation]);
  return incarnation;
};
