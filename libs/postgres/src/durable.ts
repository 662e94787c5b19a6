import { MakulerError } from '#kernel';
import type { Pool } from './pool.js';

/** Off, each of these makes PostgreSQL acknowledge what a crash can take back: promise P6 would be a wish. */
const SETTINGS = ['fsync', 'synchronous_commit', 'full_page_writes'] as const;

/** Refuses a server that may lose what it has acknowledged: throws `database-not-durable` and names every such setting. */
export const assertDurable = async (pool: Pool): Promise<void> => {
  const { rows } = await pool.query<{ name: string }>(
    "select name from pg_settings where name = any($1) and setting = 'off' order by name",
    [SETTINGS],
  );
  if (rows.length > 0)
    throw new MakulerError('database-not-durable', {
      detail: `PostgreSQL runs with ${rows.map(({ name }) => `${name} = off`).join(', ')}.`,
      facts: { settings: rows.map(({ name }) => name) },
    });
};
