import { MakulerError } from '#kernel';
import type { Pool, PoolClient } from '#postgres';
import {
  appliedMigrations,
  insertRows,
  migrate,
  MigrationError,
  onSnapshot,
  remakeSchemas,
  rowsOf,
  tablesOf,
} from '#postgres';
import type { ArchiveFrame, ArchiveHeader } from '../archive-contract.js';
import type { Write } from './active.js';
import { readVaultRow } from './founding.js';
import { beginIncarnation } from './incarnations.js';
import { SCHEMA } from './schema.js';

const SCHEMA_NAME = 'vault';

/**
 * The whole database as it is at one moment, sealed as it is: no root and no opened key is in it. A reader that stops in the
 * middle ends the snapshot.
 */
export const backUpVault = (pool: Pool): AsyncGenerator<ArchiveFrame, void> =>
  onSnapshot(pool, async function* (client): AsyncGenerator<ArchiveFrame> {
    const tables = await tablesOf(client);
    yield { header: await headerOf(client, tables) };
    let count = 0;
    for (const table of tables)
      for await (const rows of rowsOf(client, table)) {
        count += rows.length;
        yield { rows: { table, rows } };
      }
    yield { end: { rows: count } };
  });

const headerOf = async (client: PoolClient, tables: readonly string[]): Promise<ArchiveHeader> => {
  // While a seal is under way there are buckets of the epoch before: without its root they would open no more.
  const { rows } = await client.query<{
    installation: string;
    incarnation: string;
    mint_sequence: string;
    epoch: number;
  }>(
    `select installation, incarnation, mint_sequence, least(epoch, (select min(epoch) from bucket)) as epoch from vault`,
  );
  const [row] = rows;
  if (!row) throw new MakulerError('vault-unavailable', { detail: 'The vault has no keys yet.' });
  const { installation, incarnation, mint_sequence: mintSequence, epoch } = row;
  return {
    installation,
    incarnation,
    mintSequence,
    epoch,
    schema: await appliedMigrations(client, SCHEMA_NAME),
    tables,
  };
};

/** What a restore needs to know of the vault that it fills. */
export interface RestoreTarget {
  /** Installation of the custodian. */
  readonly installation: string;
  /** Names the life that begins: random, and not one that the log knows. */
  readonly incarnation: string;
  /** The caller's right to write, checked like every writer's. */
  readonly token: string;
  readonly write: Write;
}

/**
 * Fills an empty database with a copy, and begins its next life in the same transaction: a key that the life before made
 * after the copy is then known to be lost, and not taken for one that never was. Nothing is written when the copy is not
 * whole, of another installation, or of a newer program; a crash leaves the database empty.
 */
export const restoreVault = async (
  pool: Pool,
  frames: AsyncIterable<ArchiveFrame>,
  { installation, incarnation, token, write }: RestoreTarget,
): Promise<void> => {
  if (await readVaultRow(pool)) throw new MakulerError('restore-not-empty', { detail: 'The vault has keys already.' });
  const reading = frames[Symbol.asyncIterator]();
  try {
    const header = headerFrom((await reading.next()).value as ArchiveFrame | undefined);
    if (header.installation !== installation) throw new MakulerError('backup-foreign');
    await makeSchema(pool, header, write);
    await write(async (client) => {
      await insertFrames(client, header, reading);
      await beginIncarnation(client, { id: incarnation });
      await client.query('update vault set active = $1', [token]);
    });
    await migrate(pool, SCHEMA_NAME, SCHEMA);
  } finally {
    await reading.return?.();
  }
};

const headerFrom = (frame: ArchiveFrame | undefined): ArchiveHeader => {
  if (frame && 'header' in frame) return frame.header;
  throw notWhole('it does not begin with its header');
};

const makeSchema = async (pool: Pool, { schema: steps }: ArchiveHeader, write: Write): Promise<void> => {
  try {
    await remakeSchemas(pool, [{ name: SCHEMA_NAME, migrations: SCHEMA, steps }], write);
  } catch (error) {
    throw error instanceof MigrationError ? new MakulerError('backup-newer', { cause: error }) : error;
  }
};

const insertFrames = async (
  client: PoolClient,
  { tables }: ArchiveHeader,
  frames: AsyncIterator<ArchiveFrame>,
): Promise<void> => {
  // Names go into SQL: only those that the schema has just made are taken.
  const known = new Set(await tablesOf(client));
  if (tables.length !== known.size || !tables.every((table) => known.has(table)))
    throw notWhole('its tables are not those of its schema');
  let count = 0;
  for (;;) {
    const { value: frame, done } = await frames.next();
    if (done) throw notWhole('it has no end');
    if ('end' in frame) {
      if (frame.end.rows !== count) throw notWhole('rows are missing');
      return;
    }
    if (!('rows' in frame) || !known.has(frame.rows.table)) throw notWhole('something in it is not a row of the vault');
    await insertRows(client, frame.rows.table, frame.rows.rows);
    count += frame.rows.rows.length;
  }
};

const notWhole = (why: string) =>
  new MakulerError('backup-damaged', { detail: `The copy of the vault is not whole: ${why}.` });
