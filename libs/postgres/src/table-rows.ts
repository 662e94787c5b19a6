import type { Migration } from './migrate.js';
import { migrate, MigrationError } from './migrate.js';
import type { Pool, PoolClient } from './pool.js';
import { inTransaction } from './pool.js';

/** Rows that travel together: few enough that memory stays small whatever a table holds. */
const BATCH_ROWS = 500;

/** The list of schema steps: which of them a database has is written down apart, by `appliedMigrations`. */
const MIGRATION = 'migration';

/** Names of all tables of schema `public` but the migrations' own, each after those that it refers to. Throws when tables refer to each other in a ring. */
export const tablesOf = async (client: PoolClient): Promise<readonly string[]> => {
  const { rows } = await client.query<{ name: string; refers: string[] }>(
    `select c.relname as name,
            array(select r.relname::text from pg_constraint k join pg_class r on r.oid = k.confrelid
                  where k.contype = 'f' and k.conrelid = c.oid and k.confrelid <> c.oid) as refers
     from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname <> $1
     order by c.relname`,
    [MIGRATION],
  );
  const sorted: string[] = [];
  for (let left = rows; left.length > 0;) {
    const ready = left.filter(({ refers }) => refers.every((name) => sorted.includes(name)));
    if (ready.length === 0) throw new Error(`tables refer to each other: ${left.map(({ name }) => name).join(', ')}`);
    sorted.push(...ready.map(({ name }) => name));
    left = left.filter((table) => !ready.includes(table));
  }
  return sorted;
};

/** Steps of a schema that this database has, in order; none for one that was never made. */
export const appliedMigrations = async (client: PoolClient, name: string): Promise<readonly string[]> => {
  const { rows } = await client.query<{ there: boolean }>(
    `select to_regclass('public.migration') is not null as there`,
  );
  if (!rows[0]!.there) return [];
  const steps = await client.query<{ id: string }>('select id from migration where name = $1 order by position', [
    name,
  ]);
  return steps.rows.map(({ id }) => id);
};

/**
 * Runs `work` on one snapshot of a database: whatever it reads stands there together, however long it takes. Values come as
 * text that does not depend on the server's settings.
 */
export async function* onSnapshot<T>(
  pool: Pool,
  work: (client: PoolClient) => AsyncGenerator<T>,
): AsyncGenerator<T, void> {
  const client = await pool.connect();
  let whole = false;
  try {
    await client.query('begin transaction isolation level repeatable read read only');
    await client.query(`set local bytea_output = 'hex'; set local timezone = 'UTC'; set local datestyle = 'ISO'`);
    yield* work(client);
    await client.query('commit');
    whole = true;
  } finally {
    // Whoever reads may stop reading: a connection inside a transaction must not go back into the pool.
    client.release(!whole);
  }
}

/**
 * A table's rows as JSON texts, in batches, in the order of its primary key: the order in which rows came to be says which
 * of them belong together. Inside `onSnapshot`. Integers are written whole, bytes as `\x` and hexadecimal digits; a text is one
 * line, also where a `json` column was stored with line breaks between its members.
 */
export async function* rowsOf(client: PoolClient, table: string): AsyncGenerator<readonly string[], void> {
  const name = client.escapeIdentifier(table);
  const keys = await client.query<{ column: string }>(
    `select a.attname as column from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
     where i.indrelid = $1::regclass and i.indisprimary order by array_position(i.indkey::int2[], a.attnum)`,
    [name],
  );
  const order = keys.rows.map(({ column }) => client.escapeIdentifier(column)).join(', ');
  if (order === '') throw new Error(`the table ${table} has no primary key`);
  await client.query(
    `declare table_rows no scroll cursor for select translate(row_to_json(t)::text, E'\\n\\r', '  ') as row from ${name} t order by ${order}`,
  );
  for (;;) {
    const { rows } = await client.query<{ row: string }>(`fetch ${BATCH_ROWS} from table_rows`);
    if (rows.length > 0) yield rows.map(({ row }) => row);
    if (rows.length < BATCH_ROWS) break;
  }
  await client.query('close table_rows');
}

/** Inserts rows that `rowsOf` gave, into a table with the same columns. */
export const insertRows = async (client: PoolClient, table: string, rows: readonly string[]): Promise<void> => {
  const name = client.escapeIdentifier(table);
  await client.query(`insert into ${name} select * from json_populate_recordset(null::${name}, $1::json)`, [
    `[${rows.join(',')}]`,
  ]);
};

/** A schema as it was at some time: the steps that had been taken. */
export interface SchemaAt {
  readonly name: string;
  readonly migrations: readonly Migration[];
  readonly steps: readonly string[];
}

/**
 * Makes the tables of a database as they were after the steps named, in place of those that are there, which must hold
 * nothing that matters. The rest of the steps is run by `migrate` once the rows of that time are in. Throws MigrationError
 * when the steps of one are not a beginning of its list. `inOne`: how what is there is dropped, where not everybody may.
 */
export const remakeSchemas = async (
  pool: Pool,
  schemas: readonly SchemaAt[],
  inOne: (work: (client: PoolClient) => Promise<void>) => Promise<void> = (work) => inTransaction(pool, work),
): Promise<void> => {
  for (const { name, migrations, steps } of schemas)
    if (steps.some((id, index) => migrations[index]?.id !== id))
      throw new MigrationError(
        `The steps of ${name} are not those that this version knows: it is newer than the program.`,
      );
  await inOne(async (client) => {
    const tables = (await tablesOf(client)).map((table) => client.escapeIdentifier(table));
    if (tables.length > 0) await client.query(`drop table ${tables.join(', ')}`);
    await client.query('drop table if exists migration');
  });
  for (const { name, migrations, steps } of schemas) await migrate(pool, name, migrations.slice(0, steps.length));
};
