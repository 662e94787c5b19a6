import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import type { Pool } from '#postgres';
import { createPool } from '#postgres';
import type { Installation } from '../journeys/installation.js';
import type { Hit } from './marks.js';
import { searchFiles } from './marks.js';

export const DATABASES = ['events', 'vault', 'readmodels', 'control'] as const;
export type DatabaseName = (typeof DATABASES)[number];

/** A connection of the embedded server's administrator: no part of the system has it. End it after use. */
export const administer = async (makuler: Installation, database: string): Promise<Pool> => {
  const password = (await readFile(join(makuler.home, 'postgres/password'), 'utf8')).trim();
  const port = (await readFile(join(makuler.home, 'postgres/port'), 'utf8')).trim();
  const url = `postgres://makuler:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
  return createPool(url, { name: 'a test', max: 2 });
};

/** Runs one statement as the administrator. */
export const sql = async (
  makuler: Installation,
  database: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<any[]> => {
  const pool = await administer(makuler, database);
  return pool
    .query(text, [...values])
    .then(({ rows }) => rows)
    .finally(() => pool.end());
};

const BYTEA = 17;
const raw = { getTypeParser: (oid: number) => (oid === BYTEA ? undecoded : (text: string) => text) };
/** `\x…`, the form in which the server sends bytes as text. */
const undecoded = (text: string): Buffer => Buffer.from(text.slice(2), 'hex');

/**
 * Writes every row of every table of every schema of a database into a file, the catalogues and their statistics included,
 * as text, and bytes as the bytes that they are. The server's own files hold long values compressed, so that a search of
 * them alone would pass over what stands in them.
 */
const dumpDatabase = async (makuler: Installation, database: string, file: string): Promise<number> => {
  const pool = await administer(makuler, database);
  const out = createWriteStream(file);
  let tables = 0;
  try {
    const { rows } = await pool.query<{ name: string }>(
      `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'm') order by 1`,
    );
    for (const { name } of rows) {
      tables++;
      const answer = await pool.query({
        text: `select * from ${name}`,
        rowMode: 'array',
        types: raw as never,
      });
      for (const values of answer.rows as (string | Buffer | null)[][])
        for (const value of values)
          if (value !== null) if (!(out.write(value) && out.write('\n'))) await once(out, 'drain');
    }
  } finally {
    await pool.end();
    out.end();
    await once(out, 'close');
  }
  return tables;
};

/**
 * Looks for marks in all that an installation keeps and says: every byte below its directory (home and custodian), a plain
 * dump of every database when the server runs, and what was printed. `alsoSaid`: further output, by name.
 */
export const searchEverything = async (
  makuler: Installation,
  marks: readonly string[],
  alsoSaid: Readonly<Record<string, string>> = {},
): Promise<{ hits: Hit[]; files: number; bytes: number; tables: number }> => {
  const beside = await mkdtemp(join(tmpdir(), 'makuler-dump-'));
  try {
    let tables = 0;
    for (const name of [...DATABASES, 'postgres', 'template1'])
      tables += await dumpDatabase(makuler, name, join(beside, `dump of ${name}`));
    for (const [name, text] of Object.entries({ output: makuler.output, ...alsoSaid }))
      await writeFile(join(beside, name), text);
    return { ...(await searchFiles([makuler.directory, beside], marks)), tables };
  } finally {
    await rm(beside, { recursive: true });
  }
};
