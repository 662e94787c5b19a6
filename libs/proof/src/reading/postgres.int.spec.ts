import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from '#postgres';
import { createPool } from '#postgres';
import { testDatabase } from '#testing';
import { ValueFindings } from '../values/value-findings.js';
import { readAll } from './reading.js';

/** A value that no other suite has written into the same server. */
const newValue = () => `Torbjørg ${randomBytes(8).toString('hex')}`;
const REPEATED = 'the same words over and over, as pglz likes them; ';

describe('reading the files of a real PostgreSQL', () => {
  let pool: Pool;
  let drop: () => Promise<void>;
  let data: string;
  let begun: string;
  beforeAll(async () => {
    const database = await testDatabase();
    pool = createPool(database.url, { name: 'a test', max: 1 });
    drop = database.drop;
    data = (await pool.query<{ data_directory: string }>('show data_directory')).rows[0]!.data_directory;
    begun = await segment();
  });
  const segment = async () =>
    (await query<{ name: string }>('select pg_walfile_name(pg_current_wal_insert_lsn()) as name'))[0]!.name;
  /** The log since this suite began: the server has a great deal more of it, of all other suites. */
  const log = async () => {
    const last = await segment();
    const names = (await readdir(join(data, 'pg_wal'))).filter((name) => name >= begun && name <= last);
    return names.map((name) => join(data, 'pg_wal', name));
  };
  afterAll(async () => {
    await pool.end();
    await drop();
  });

  const query = async <T extends object>(text: string, values: unknown[] = []) =>
    (await pool.query<T>(text, values)).rows;
  const fileOf = async (relation: string) =>
    join(
      data,
      (await query<{ file: string }>('select pg_relation_filepath($1::regclass) as file', [relation]))[0]!.file,
    );
  const toastOf = async (table: string) =>
    (
      await query<{ name: string }>(
        'select reltoastrelid::regclass::text as name from pg_class where oid = $1::regclass',
        [table],
      )
    )[0]!.name;
  const layersOf = async (paths: string | readonly string[], value: string) => {
    const findings = new ValueFindings([value]);
    const { unread } = await readAll([paths].flat(), { watches: findings.watches });
    expect(unread).toEqual([]);
    return [...new Set(findings.all.map(({ layers }) => layers.replace(/ at \d+/g, '')))];
  };

  it('finds a row in its table, in the write-ahead log, and in the table again once it is deleted', async () => {
    const value = newValue();
    await query('create table plain (id int, name text)');
    await query('insert into plain values (1, $1)', [value]);
    expect(await layersOf(await log(), value)).toEqual(['write-ahead log']);
    await query('delete from plain');
    await query('checkpoint');
    expect(await layersOf(await fileOf('plain'), value)).toEqual(['']);
  });

  it('finds values across the borders of the log’s pages', async () => {
    // Rows that are longer than a page has room for lie across its head, wherever the log stands.
    const values = Array.from({ length: 40 }, newValue);
    await query('create table wide (name text)');
    for (const value of values) await query('insert into wide values ($1)', [`${value} `.repeat(20)]);
    const findings = new ValueFindings(values);
    await readAll(await log(), { watches: findings.watches });
    expect(new Set(findings.all.map(({ value }) => value)).size).toBe(values.length);
    // Every single copy: one that a page's head cuts in two is one too few.
    for (const { value, count } of findings.all.filter(({ encoding }) => encoding === 'as given, UTF-8'))
      expect([value, count]).toEqual([value, expect.any(Number)]);
    const counts = findings.all.filter(({ encoding }) => encoding === 'as given, UTF-8').map(({ count }) => count);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(20);
  });

  it('finds what pglz has compressed and left in the row, in table and log', async () => {
    const value = newValue();
    await query('create table inline (id int, name text)');
    const text = `${REPEATED.repeat(60)}${[...value].join('')}${REPEATED.repeat(60)}`;
    await query('insert into inline values (1, $1)', [text]);
    const [stored] = await query<{ size: number; method: string }>(
      'select pg_column_size(name) as size, pg_column_compression(name) as method from inline',
    );
    expect(stored).toMatchObject({ method: 'pglz' });
    expect(stored!.size).toBeLessThan(2000);
    await query('checkpoint');
    expect(await layersOf(await fileOf('inline'), value)).toContain('pglz');
    expect(await layersOf(await log(), value)).toContain('write-ahead log, pglz');
  });

  it('finds what lies across the pieces of a long value, compressed or not, in table and log', async () => {
    const [value, compressed] = [newValue(), newValue()];
    await query('create table long (id int, name text)');
    await query('alter table long alter column name set storage external');
    const before = randomBytes(988).toString('hex');
    await query('insert into long values (1, $1)', [`${before}0123456${value}${randomBytes(3000).toString('hex')}`]);
    await query('create table packed (id int, name text)');
    const half = Array.from({ length: 400 }, () => randomBytes(6).toString('hex') + REPEATED).join('');
    await query('insert into packed values (1, $1)', [`${half}${compressed}${half}`]);
    await query('checkpoint');
    expect(await layersOf(await fileOf(await toastOf('long')), value)).toEqual(['TOAST']);
    expect(await layersOf(await fileOf(await toastOf('packed')), compressed)).toContain('TOAST, pglz');
    expect(await layersOf(await log(), compressed)).toContain('write-ahead log, TOAST, pglz');
  });

  it('finds what stands in the image of a page that the log has compressed', async () => {
    const value = newValue();
    await query('create table imaged (id int, name text)');
    await query('insert into imaged select i, $1 from generate_series(1, 40) i', [REPEATED]);
    await query('insert into imaged values (1, $1)', [value]);
    await query(`set wal_compression = 'pglz'`);
    await query('checkpoint');
    // The first change of a page behind a checkpoint: another row, and the page as it was comes along.
    await query('insert into imaged values (2, $1)', ['another']);
    await query('set wal_compression = off');
    expect(await layersOf(await log(), value)).toContain('write-ahead log, page image, pglz');
  });

  it('finds what a row that was made invisible has left, and nothing that never was', async () => {
    expect(await layersOf(dirname(await fileOf('pg_class')), newValue())).toEqual([]);
  });

  it('leaves no file behind', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'makuler-proof-'));
    expect(await readAll([empty], { watches: [] })).toMatchObject({ files: 0, bytes: 0, unread: [] });
    await rm(empty, { recursive: true });
  });
});
