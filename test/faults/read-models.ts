import type { Installation } from '../journeys/installation.js';
import { administer } from './everything-kept.js';

/**
 * Every row of every read model as the server prints it, by table, in an order that no run changes. What the runner writes
 * about itself (positions, states) is not among them.
 */
export const readModels = async (makuler: Installation): Promise<Readonly<Record<string, readonly string[]>>> => {
  const pool = await administer(makuler, 'readmodels');
  try {
    const { rows: tables } = await pool.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
        where schemaname in (select name from projections.build where kind = 'projection') order by 1`,
    );
    const entries: [string, readonly string[]][] = [];
    for (const { name } of tables) {
      const { rows } = await pool.query<{ row: string }>(`select t::text as row from ${name} t order by 1`);
      entries.push([name, rows.map(({ row }) => row)]);
    }
    return Object.fromEntries(entries);
  } finally {
    await pool.end();
  }
};
