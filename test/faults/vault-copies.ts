import type { Pool } from '#postgres';
import { inTransaction } from '#postgres';

const TABLES = `select table_name as name from information_schema.tables
  where table_schema = 'public' and table_type = 'BASE TABLE' and table_name <> 'migration'`;

/** Copies of a vault's database at one moment, as a native backup has them, kept beside it and put back into it. */
export class VaultCopies {
  #count = 0;
  constructor(private readonly pool: Pool) {}

  async take(): Promise<string> {
    const copy = `copy_${++this.#count}`;
    await inTransaction(this.pool, async (client) => {
      // One snapshot, in the middle of whatever the vault is doing.
      await client.query('set transaction isolation level repeatable read');
      const { rows } = await client.query<{ name: string }>(TABLES);
      await client.query(`create schema ${copy}`);
      for (const { name } of rows) await client.query(`create table ${copy}.${name} as table public.${name}`);
    });
    return copy;
  }

  /** While no vault runs on it. */
  async empty(): Promise<void> {
    const { rows } = await this.pool.query<{ name: string }>(TABLES);
    await this.pool.query(`truncate ${rows.map(({ name }) => `public.${name}`).join(', ')}`);
  }

  /** While no vault runs on it. */
  async putBack(copy: string): Promise<void> {
    await inTransaction(this.pool, async (client) => {
      await client.query('set local session_replication_role = replica');
      const { rows } = await client.query<{ name: string }>(TABLES);
      for (const { name } of rows) {
        await client.query(`delete from public.${name}`);
        await client.query(`insert into public.${name} select * from ${copy}.${name}`);
      }
    });
  }
}
