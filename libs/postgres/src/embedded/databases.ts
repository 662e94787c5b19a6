import { readFileSync } from 'node:fs';
import pg from 'pg';
import { translateError } from '../errors.js';

/** A database with the one role that may use it. */
export interface OwnedDatabase {
  /** Name of the database and of the role that owns it. */
  readonly name: string;
  readonly password: string;
}

/** A login of the group `makuler_analyst`, which sees the analysts' views in one database and nothing else (`analyst-role.sql`). */
export interface ReaderRole {
  readonly name: string;
  readonly password: string;
  readonly database: string;
}

/**
 * Makes databases and roles that are missing, and sets the passwords: each program gets the role of its own database
 * and can't connect to the others (the vault's above all). Safe to repeat.
 */
export const ensureDatabases = async (
  administratorUrl: string,
  owned: readonly OwnedDatabase[],
  readers: readonly ReaderRole[],
): Promise<void> => {
  const client = new pg.Client({ connectionString: administratorUrl, application_name: 'makuler up' });
  // Without a listener a server that is stopped meanwhile would end the process; the query that fails says it.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const names = async (sql: string) =>
      new Set((await client.query<{ name: string }>(sql)).rows.map(({ name }) => name));
    const databases = await names('select datname as name from pg_database');
    const roles = await names('select rolname as name from pg_roles');
    for (const { name, password } of [...owned, ...readers]) {
      const role = client.escapeIdentifier(name);
      const options = `login password ${client.escapeLiteral(password)}`;
      await client.query(`${roles.has(name) ? 'alter' : 'create'} role ${role} ${options}`);
    }
    for (const { name } of owned) {
      const database = client.escapeIdentifier(name);
      if (!databases.has(name))
        await client.query(`create database ${database} owner ${database} template template0 strategy wal_log`);
      await client.query(`revoke all on database ${database} from public`);
    }
    // Everybody may connect to these otherwise, and make temporary tables there.
    if (readers.length > 0) await client.query('revoke all on database postgres, template1 from public');
    for (const { name, database } of readers) {
      await confineReaders(administratorUrl, database);
      for (const statement of readerLimits(client.escapeIdentifier(name))) await client.query(statement);
    }
  } catch (error) {
    throw translateError(error);
  } finally {
    await client.end().catch(() => undefined);
  }
};

const CONFINED = new URL('../analyst-role.sql', import.meta.url);

/** What every role of a server may do in a database unless it is told otherwise is told otherwise here. */
const confineReaders = async (administratorUrl: string, database: string): Promise<void> => {
  const url = new URL(administratorUrl);
  url.pathname = `/${encodeURIComponent(database)}`;
  const client = new pg.Client({ connectionString: url.href, application_name: 'makuler up' });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(readFileSync(CONFINED, 'utf8'));
  } finally {
    await client.end().catch(() => undefined);
  }
};

/**
 * The number of connections and the size of temporary files are walls. The rest are defaults that a session can change: they
 * are against mistakes, and whoever means harm can only make the server busy.
 */
const readerLimits = (role: string): string[] => [
  `alter role ${role} nosuperuser nocreatedb nocreaterole noreplication nobypassrls inherit connection limit 10`,
  `grant makuler_analyst to ${role}`,
  `alter role ${role} set temp_file_limit = '1GB'`,
  `alter role ${role} set default_transaction_read_only = on`,
  `alter role ${role} set statement_timeout = '60s'`,
  `alter role ${role} set idle_in_transaction_session_timeout = '60s'`,
];
