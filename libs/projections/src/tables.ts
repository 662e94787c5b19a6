import { sql } from 'kysely';
import { DatabaseError } from '#postgres';
import type { Transaction } from 'kysely';
import type { Follower, Write } from './build.js';
import { schemaOf } from './build.js';
import type { Projection } from './projection.js';
import type { BuildRole, ProjectionTables } from './schema.js';

const retiredSchemaOf = (name: string): string => `${name}__old`;
export const fingerprintOf = (follower: Follower): string =>
  follower.kind === 'process' ? 'process' : follower.fingerprint;

/** Makes empty tables and a checkpoint at the beginning of the log; whatever stood in their place is gone. One transaction. */
export const createBuild = (write: Write, projection: Projection, role: BuildRole): Promise<void> =>
  write(async (transaction) => {
    const schema = schemaOf(projection.name, role);
    await sql`drop schema if exists ${sql.id(schema)} cascade`.execute(transaction);
    await sql`create schema ${sql.id(schema)}`.execute(transaction);
    await sql`select set_config('search_path', ${schema}, true)`.execute(transaction);
    await sql.raw(projection.options.tables).execute(transaction);
    await transaction
      .deleteFrom('projections.build')
      .where('name', '=', projection.name)
      .where('role', '=', role)
      .execute();
    await insertBuild(transaction, projection, role);
  });

/** A checkpoint at the beginning of the log. */
export const insertBuild = async (
  db: Transaction<ProjectionTables>,
  follower: Follower,
  role: BuildRole,
): Promise<void> => {
  await db
    .insertInto('projections.build')
    .values({
      name: follower.name,
      role,
      kind: follower.kind,
      fingerprint: fingerprintOf(follower),
      position: '0',
      event_stream: null,
      event_id: null,
      event_position: null,
      status: 'catching-up',
      error_code: null,
      error_event: null,
    })
    .execute();
};

/**
 * Puts a finished rebuild in the place of the live tables, checkpoint included, in one transaction. Queries name the schema,
 * so one that begins after the commit reads the new tables and one under way finishes on the old ones.
 */
export const swap = (write: Write, name: string): Promise<void> =>
  write(async (transaction) => {
    await transaction.deleteFrom('projections.build').where('name', '=', name).where('role', '=', 'live').execute();
    await transaction
      .updateTable('projections.build')
      .set({ role: 'live', status: 'running', changed_at: sql`now()` })
      .where('name', '=', name)
      .execute();
    await sql`alter schema ${sql.id(name)} rename to ${sql.id(retiredSchemaOf(name))}`.execute(transaction);
    await sql`alter schema ${sql.id(schemaOf(name, 'next'))} rename to ${sql.id(name)}`.execute(transaction);
  });

const LOCK_NOT_AVAILABLE = '55P03';

/** Drops what a swap has retired; a query that still reads it is not waited for long, and the next call tries again. */
export const dropRetired = async (write: Write, name: string): Promise<void> => {
  try {
    await write(async (transaction) => {
      await sql`select set_config('lock_timeout', '2s', true)`.execute(transaction);
      await sql`drop schema if exists ${sql.id(retiredSchemaOf(name))} cascade`.execute(transaction);
    });
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== LOCK_NOT_AVAILABLE) throw error;
  }
};

/** Removes a read model that the program no longer has: nobody would forget anything in it. */
export const dropBuilds = (write: Write, name: string): Promise<void> =>
  write(async (transaction) => {
    for (const schema of [name, schemaOf(name, 'next'), retiredSchemaOf(name)])
      await sql`drop schema if exists ${sql.id(schema)} cascade`.execute(transaction);
    await transaction.deleteFrom('projections.build').where('name', '=', name).execute();
  });
