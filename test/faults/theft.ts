import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createPool } from '#postgres';
import type { EmbeddedServer } from '#postgres/embedded';
import { findBinaries } from '#postgres/embedded';
import { copyTree } from './copy-tree.js';

const ATTACK = fileURLToPath(new URL('attacker/attack.mjs', import.meta.url));

/** What the attacker reports (test/faults/attacker/attack.mjs). */
export interface AttackReport {
  readonly read: Readonly<Record<string, number>> & { readonly unread: readonly string[] };
  readonly keys: Readonly<Record<'roots' | 'epochKeys' | 'buckets' | 'dataKeys', number>>;
  readonly opened: readonly { readonly stream: string; readonly scopeId: string; readonly text: string }[];
  readonly joins: readonly { readonly by: string; readonly at: string; readonly streams: readonly string[] }[];
  readonly confirmed: readonly { readonly guess: number; readonly at: string }[];
}

/** Runs the attacker, a program of its own, on directories of loot. */
export const attack = async (loot: readonly string[], guesses: readonly string[] = []): Promise<AttackReport> => {
  const file = join(loot[0]!, '..', 'guesses.json');
  await writeFile(file, JSON.stringify(guesses));
  const parameters = [ATTACK, ...loot, '--postgres', dirname(findBinaries().postgres), '--guesses', file];
  const { stdout } = await promisify(execFile)(process.execPath, parameters, { maxBuffer: 256 * 1024 * 1024 });
  return JSON.parse(stdout) as AttackReport;
};

/** A database as pg_dump writes it in its plain form: the tables' rows as COPY has them. */
export const dump = async (url: string, file: string): Promise<void> => {
  const pool = createPool(url, { name: 'a thief', max: 1 });
  const lines: string[] = ['-- PostgreSQL database dump'];
  try {
    const { rows: tables } = await pool.query<{ name: string; columns: string[] }>(
      `select c.relname as name, array_agg(a.attname::text order by attnum) as columns from pg_class c
       join pg_attribute a on attrelid = c.oid and attnum > 0 and not attisdropped
       where c.relkind in ('r', 'm') and relnamespace = 'public'::regnamespace group by 1 order by 1`,
    );
    for (const { name, columns } of tables) {
      const { rows } = await pool.query<(string | null)[]>({
        ...{ text: `select * from "${name}"`, rowMode: 'array' },
        types: { getTypeParser: () => (text: string) => text } as never,
      });
      const fields = (row: (string | null)[]) => row.map((value) => (value === null ? '\\N' : escaped(value)));
      lines.push(
        `COPY public.${name} (${columns.join(', ')}) FROM stdin;`,
        ...rows.map((row) => fields(row).join('\t')),
        '\\.',
      );
    }
  } finally {
    await pool.end();
  }
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${lines.join('\n')}\n`);
};
const escaped = (value: string): string =>
  value.replace(
    /[\\\b\f\n\r\t\v]/g,
    (c) =>
      `\\${({ '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't', '\v': 'v' } as Record<string, string>)[c] ?? c}`,
  );

/** A base backup as its documentation describes the low-level way: files between start and stop, then the write-ahead log. */
export const baseBackup = async (server: EmbeddedServer, data: string, to: string): Promise<void> => {
  const pool = createPool(server.url('postgres'), { name: 'a thief', max: 1 });
  const client = await pool.connect();
  try {
    await client.query(`select pg_backup_start('base', fast => true)`);
    await copyTree(data, to, (path) => !/\/(pg_wal\/.*|postmaster\.pid)$/.test(path));
    const { rows } = await client.query<{ labelfile: string }>(
      'select labelfile from pg_backup_stop(wait_for_archive => false)',
    );
    await writeFile(join(to, 'backup_label'), rows[0]!.labelfile);
    await copyTree(join(data, 'pg_wal'), join(to, 'pg_wal'));
  } finally {
    client.release();
    await pool.end();
  }
};

/** A copy of every mirror. */
export const copyCustodian = (mirrors: readonly string[], to: string): Promise<unknown> =>
  Promise.all(mirrors.map((mirror, index) => copyTree(mirror, join(to, `mirror-${index}`))));
