import { createHash } from 'node:crypto';
import type { Pool, PoolClient } from './pool.js';
import { inTransaction } from './pool.js';

/** One step of a schema, never changed once it was released. Several statements may stand in `up`. */
export interface Migration {
  /** Unique in its list, e.g. `001-streams`. */
  readonly id: string;
  /** SQL text; must be able to run in a transaction. */
  readonly up: string;
}

/** The schema in the database is not a beginning of the list that this program knows. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/**
 * Brings one schema of a database up to date and returns the ids that were applied now. `name` tells apart the lists of
 * several libraries in one database. All steps run in one transaction under an advisory lock: processes that start
 * together do it once, and a crash leaves the schema as it was. Throws MigrationError when the database is newer than
 * the program or a released step was changed.
 */
export const migrate = (pool: Pool, name: string, migrations: readonly Migration[]): Promise<readonly string[]> =>
  inTransaction(pool, async (client) => {
    await client.query("select pg_advisory_xact_lock(hashtextextended('makuler.migration', 0))");
    await client.query(
      `create table if not exists migration (
         name text not null, position integer not null, id text not null, sha256 text not null,
         applied_at timestamptz not null default now(), primary key (name, position))`,
    );
    const applied = await appliedOf(client, name);
    assertBeginning(name, applied, migrations);
    const due = migrations.slice(applied.length);
    for (const [offset, migration] of due.entries()) {
      await client.query(migration.up);
      await client.query('insert into migration (name, position, id, sha256) values ($1, $2, $3, $4)', [
        name,
        applied.length + offset,
        migration.id,
        hashOf(migration),
      ]);
    }
    return due.map(({ id }) => id);
  });

interface Applied {
  id: string;
  sha256: string;
}

const appliedOf = async (client: PoolClient, name: string): Promise<Applied[]> =>
  (await client.query<Applied>('select id, sha256 from migration where name = $1 order by position', [name])).rows;

const hashOf = (migration: Migration): string => createHash('sha256').update(migration.up).digest('hex');

const assertBeginning = (name: string, applied: readonly Applied[], known: readonly Migration[]): void => {
  if (new Set(known.map(({ id }) => id)).size !== known.length)
    throw new MigrationError(`The migrations of ${name} have an id twice.`);
  for (const [index, step] of applied.entries()) {
    const migration = known[index];
    if (!migration)
      throw new MigrationError(
        `The database has step ${step.id} of ${name}, which this version does not know: it is newer than the program.`,
      );
    if (migration.id !== step.id)
      throw new MigrationError(
        `Step ${index + 1} of ${name} is ${step.id} in the database and ${migration.id} in the program.`,
      );
    if (hashOf(migration) !== step.sha256)
      throw new MigrationError(
        `Step ${step.id} of ${name} was changed after it was applied: write a new step instead.`,
      );
  }
};
