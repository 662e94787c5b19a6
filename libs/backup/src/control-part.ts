import type { Migration, Pool, PoolClient } from '#postgres';
import {
  appliedMigrations,
  insertRows,
  inTransaction,
  migrate,
  MigrationError,
  onSnapshot,
  remakeSchemas,
  rowsOf,
  tablesOf,
} from '#postgres';
import { MakulerError } from '#kernel';
import { CERTIFICATE_MIGRATIONS, CERTIFICATES } from '#signing';
import { TOKEN_MIGRATIONS, TOKENS } from '#tokens';
import { BACKUP_MIGRATIONS, BACKUPS } from './inventory-table.js';
import type { Manifest, Part } from './manifest.js';
import { damaged } from './manifest.js';
import { readRows, writeRows } from './row-parts.js';

/** The parts of the control database that are backed up, by the names of their lists of steps. */
const SCHEMAS: Readonly<Record<string, readonly Migration[]>> = {
  [TOKENS]: TOKEN_MIGRATIONS,
  [CERTIFICATES]: CERTIFICATE_MIGRATIONS,
  [BACKUPS]: BACKUP_MIGRATIONS,
};

/**
 * Tables that no backup may hold. A secret that ends after 30 days would outlive them in a set and let guesses be confirmed
 * again; what was made under it says nothing without it.
 */
const LEFT_OUT: Readonly<Record<string, string>> = {
  idempotency_secret: 'ends after 30 days, and would not in a backup',
  idempotency: 'can be read under idempotency_secret only',
  import_secret: 'would let guesses about an order number be confirmed',
  import_row: 'can be read under import_secret only',
};

/** First line of the part. */
interface ControlHeader {
  readonly schemas: Readonly<Record<string, readonly string[]>>;
}

/** Writes what may be kept of the control database, as it is at one moment. */
export const writeControl = async (
  control: Pool,
  directory: string,
): Promise<{ readonly part: Part; readonly leftOut: Manifest['control']['leftOut'] }> => {
  const leftOut: { table: string; why: string }[] = [];
  const snapshot = onSnapshot(control, async function* (client) {
    const tables = await tablesOf(client);
    for (const table of tables) {
      const why = LEFT_OUT[table];
      if (why !== undefined) leftOut.push({ table, why });
    }
    yield { header: await headerOf(client) };
    for (const table of tables.filter((name) => LEFT_OUT[name] === undefined))
      for await (const rows of rowsOf(client, table)) yield { table, rows };
  });
  const { header } = (await snapshot.next()).value as { header: ControlHeader };
  const rows = snapshot as AsyncGenerator<{ table: string; rows: readonly string[] }>;
  const { part } = await writeRows(directory, 'control', header, rows);
  return { part, leftOut };
};

const headerOf = async (client: PoolClient): Promise<ControlHeader> => {
  const schemas: Record<string, readonly string[]> = {};
  for (const name of Object.keys(SCHEMAS)) schemas[name] = await appliedMigrations(client, name);
  return { schemas };
};

/** Throws `restore-not-empty` for a control database that holds something, unless it was filled from this very set. */
export const assertControlFits = async (control: Pool, { setId }: Manifest): Promise<void> => {
  if ((await stateOf(control, setId)) === 'other')
    throw new MakulerError('restore-not-empty', { detail: 'The control database is not empty.' });
};

/**
 * Fills an empty control database, all of it or nothing, and notes there that it was restored from this set; one that has
 * that note is left as it is. After `assertControlFits`. Throws `backup-newer`, `backup-damaged`.
 */
export const restoreControl = async (control: Pool, directory: string, manifest: Manifest): Promise<void> => {
  if ((await stateOf(control, manifest.setId)) === 'restored') return;
  const part = manifest.parts.find(({ kind }) => kind === 'control');
  if (!part) throw damaged('it has no part for the control database');
  const { header, rows } = await readRows<ControlHeader>(directory, part);
  await makeTables(control, header);
  await inTransaction(control, async (client) => {
    const known = new Set(await tablesOf(client));
    for await (const { table, rows: some } of rows) {
      // Names go into SQL: only those that the schemas have just made are taken.
      if (!known.has(table)) throw damaged('it has rows of a table that its schema does not have');
      await insertRows(client, table, some);
    }
    await client.query('insert into backup_restored (set_id) values ($1)', [manifest.setId]);
  });
  for (const [name, migrations] of Object.entries(SCHEMAS)) await migrate(control, name, migrations);
};

const makeTables = async (control: Pool, { schemas }: ControlHeader): Promise<void> => {
  if (Object.keys(schemas).some((name) => SCHEMAS[name] === undefined)) throw new MakulerError('backup-newer');
  // One that had not been made yet is made wholly: there are no rows of it that could be of an earlier time.
  const made = Object.entries(SCHEMAS).map(([name, migrations]) => {
    const steps = schemas[name] ?? [];
    return { name, migrations, steps: steps.length > 0 ? steps : migrations.map(({ id }) => id) };
  });
  try {
    await remakeSchemas(control, made);
  } catch (error) {
    throw error instanceof MigrationError ? new MakulerError('backup-newer', { cause: error }) : error;
  }
};

/** Tables without rows are what a restore that was cut off, or a first start that was, leaves. */
const stateOf = (control: Pool, setId: string): Promise<'empty' | 'restored' | 'other'> =>
  inTransaction(control, async (client) => {
    const tables = await tablesOf(client);
    if (tables.includes('backup_restored')) {
      const { rows } = await client.query('select from backup_restored where set_id = $1', [setId]);
      if (rows.length > 0) return 'restored';
    }
    for (const table of tables) {
      const { rows } = await client.query(`select from ${client.escapeIdentifier(table)} limit 1`);
      if (rows.length > 0) return 'other';
    }
    return 'empty';
  });
