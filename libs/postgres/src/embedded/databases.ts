import pg from 'pg';
import { translateError } from '../errors.js';

/** A database with the one role that may use it. */
export interface OwnedDatabase {
  /** Name of the database and of the role that owns it. */
  readonly name: string;
  readonly password: string;
}

/** A role that may connect to one database and owns nothing in it: the analysts' SQL access. */
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
    for (const { name, database } of readers) {
      const role = client.escapeIdentifier(name);
      await client.query(`grant connect on database ${client.escapeIdentifier(database)} to ${role}`);
      await client.query(`alter role ${role} set default_transaction_read_only = on`);
      await client.query(`alter role ${role} set statement_timeout = '60s'`);
    }
  } catch (error) {
    throw translateError(error);
  } finally {
    await client.end().catch(() => undefined);
  }
};
