import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Opened } from '#kernel';
import { Personal } from '#kernel';
import type { Envelope, Ledger } from '#ledger';
import type { Pool } from '#postgres';
import { createPool } from '#postgres';
import { projections } from '../../apps/projector/src/projections.js';
import { eventually } from '../journeys/installation.js';
import type { BehindTheApi } from './behind-the-api.js';

/** Every row of every table of the read models, by `projection.table`, in an order of their own, opened as far as they open. */
export type Rows = Readonly<Record<string, readonly string[]>>;

/** What is needed of a system to look behind it. */
export type Behind = Pick<BehindTheApi, 'parts' | 'administrated' | 'readModelsIn' | 'environmentOf'>;

/**
 * Lets the shipped projector build all read models in a database that was empty, beside the live ones, and answers with the
 * rows of both at the same place in the log.
 */
export const rebuiltElsewhere = async (behind: Behind): Promise<{ live: Rows; rebuilt: Rows }> => {
  const { ledger, readModels } = await behind.parts();
  const database = `rebuilt_${randomBytes(4).toString('hex')}`;
  const administrator = await behind.administrated('postgres');
  await administrator.query(`create database ${database} owner readmodels template template0`);
  const url = behind.readModelsIn(database);
  // What it enqueues goes into that database too, where nobody takes it.
  const settings = Object.entries(await behind.environmentOf('projector'));
  const others = settings.filter(([name]) => !/^(REDIS|DATABASE)_URL(_FILE)?$/.test(name));
  const environment = { ...Object.fromEntries(others), DATABASE_URL: url };
  const projector = spawn(process.execPath, ['dist/apps/projector/src/main.js'], { env: environment, stdio: 'ignore' });
  const ended = new Promise((resolve) => projector.once('exit', resolve));
  const empty = createPool(url, { name: 'rebuilt', max: 2 });
  try {
    for (;;) {
      const head = await ledger.head();
      await reaches(readModels, head);
      await reaches(empty, head);
      const rows = { live: await rowsOf(readModels, ledger), rebuilt: await rowsOf(empty, ledger) };
      // Else a job has written meanwhile (a heartbeat, the end of a deferral), and the two may be of different moments.
      if ((await ledger.head()) === head) return rows;
    }
  } finally {
    projector.kill('SIGTERM');
    await ended;
    await empty.end();
    await administrator.query(`drop database ${database} with (force)`);
  }
};

/** Waits until every projection has everything up to `head` in its rows, and fails at once when one has stopped. */
export const reaches = async (readModels: Pool, head: bigint): Promise<void> => {
  const builds = () =>
    readModels.query<{ name: string; position: string; status: string }>(
      `select name, position, status from projections.build where role = 'live'`,
    );
  const there = await eventually(
    builds,
    ({ rows }) =>
      rows.some(({ status }) => status === 'failed') ||
      (projections.every(({ name }) => rows.some((row) => row.name === name)) &&
        rows.every(({ position }) => BigInt(position) >= head)),
    60_000,
  );
  expect(there.rows.filter(({ status }) => status === 'failed')).toEqual([]);
};

const rowsOf = async (database: Pool, ledger: Ledger): Promise<Rows> => {
  const names = projections.map(({ name }) => name);
  const tables = await database.query<{ schema: string; name: string }>(
    // What the analysts' views show is made of these tables when it is asked for.
    `select table_schema as schema, table_name as name from information_schema.tables
      where table_schema = any($1) and table_type = 'BASE TABLE' order by 1, 2`,
    [names],
  );
  const rows: Record<string, readonly string[]> = {};
  for (const { schema, name } of tables.rows) {
    const found = await database.query<{ row: unknown }>(`select to_jsonb(t) as row from "${schema}"."${name}" t`);
    const opened = await openedIn(
      found.rows.map(({ row }) => row),
      ledger,
    );
    // Rows of a table have no order; nothing else is left out.
    rows[`${schema}.${name}`] = opened.map((row) => JSON.stringify(row)).sort();
  }
  return rows;
};

const isEnvelope = (value: unknown): value is Envelope =>
  typeof value === 'object' && value !== null && 'sealed' in value && 'eventId' in value;

/** Beside each envelope, what it opens to: both must be equal, the bytes and what they say. */
const openedIn = async (rows: readonly unknown[], ledger: Ledger): Promise<readonly unknown[]> => {
  const envelopes: Envelope[] = [];
  const collect = (value: unknown): void => {
    if (isEnvelope(value)) envelopes.push(value);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect);
  };
  rows.forEach(collect);
  const opened = new Map<Envelope, unknown>();
  for (let from = 0; from < envelopes.length; from += 500) {
    const part = envelopes.slice(from, from + 500);
    (await ledger.open(part)).forEach(({ fields }, index) => opened.set(part[index]!, shown(fields)));
  }
  const replaced = (value: unknown): unknown => {
    if (isEnvelope(value)) return { envelope: value, opened: opened.get(value) };
    if (Array.isArray(value)) return value.map(replaced);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replaced(inner)]));
  };
  return rows.map(replaced);
};

/** Fields of an event or envelope as plain JSON: the value, or what stands in its place. */
export const shown = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, shownField(field)]));

const shownField = (field: unknown): unknown => {
  if (field instanceof Personal) return field.reveal();
  const { state } = (field ?? {}) as Partial<Opened<unknown>>;
  return state === 'erased' || state === 'withheld' || state === 'lost' ? `[${state}]` : field;
};
