import { testDatabase } from '#testing';
import { sql } from 'kysely';
import {
  assertDurable,
  createDatabase,
  createPool,
  DatabaseError,
  inTransaction,
  isUniqueViolation,
  migrate,
} from './index.js';
import type { Pool } from './index.js';

describe('postgres', () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let pool: Pool;
  beforeAll(async () => {
    database = await testDatabase();
    pool = createPool(database.url, { name: 'spec' });
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  describe('migrate', () => {
    const first = {
      id: '001',
      up: 'create table thing (id int primary key, name text unique, on_day date, big bigint)',
    };
    const second = { id: '002', up: 'alter table thing add column note text; create index on thing (note)' };

    it('applies each step once, however many processes start together', async () => {
      const applied = await Promise.all([1, 2, 3].map(() => migrate(pool, 'things', [first])));
      expect(applied.flat()).toEqual(['001']);
      expect(await migrate(pool, 'things', [first, second])).toEqual(['002']);
    });
    it('refuses a database that is newer than the program', () =>
      expect(migrate(pool, 'things', [first])).rejects.toThrow('newer than the program'));
    it('refuses a step that was changed after it was applied', () =>
      expect(migrate(pool, 'things', [{ ...first, up: 'select 1' }, second])).rejects.toThrow('was changed'));
    it('leaves nothing behind when a step fails', async () => {
      const bad = { id: '002', up: 'create table half (id int); select 1/0' };
      await expect(migrate(pool, 'other', [{ id: '001', up: 'create table other (id int)' }, bad])).rejects.toThrow();
      const { rows } = await pool.query("select 1 from pg_tables where tablename in ('other', 'half')");
      expect(rows).toEqual([]);
    });
  });

  it('never repeats a value in an error, by pool, client or Kysely', async () => {
    const mark = 'Kari.Nordmann@example.no';
    await pool.query('insert into thing (id, name) values (1, $1)', [mark]);
    const attempts = [
      () => pool.query('insert into thing (id, name) values (2, $1)', [mark]),
      () => pool.query('insert into thing (id) values ($1)', [mark]),
      () => inTransaction(pool, (client) => client.query('select $1::uuid', [mark])),
      () => sql`insert into thing (id, name) values (3, ${mark})`.execute(createDatabase(pool)),
    ];
    for (const attempt of attempts) {
      const error: unknown = await attempt().catch((e: unknown) => e);
      expect(error).toBeInstanceOf(DatabaseError);
      expect([String(error), JSON.stringify(error), (error as Error).stack].join()).not.toContain('Kari');
    }
    const refused: unknown = await attempts[0]!().catch((e: unknown) => e);
    expect(isUniqueViolation(refused, 'thing_name_key')).toBe(true);
  });

  it('keeps dates and big numbers as text', async () => {
    const { rows } = await pool.query("select date '2025-12-31' as day, 9007199254740993::bigint as big");
    expect(rows).toEqual([{ day: '2025-12-31', big: '9007199254740993' }]);
  });

  it('rolls a transaction back when its work throws', async () => {
    const failing = inTransaction(pool, async (client) => {
      await client.query('insert into thing (id) values (77)');
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect((await pool.query('select 1 from thing where id = 77')).rowCount).toBe(0);
  });

  it('says database-unavailable when nobody answers, and when the connection is cut under a query', async () => {
    const nobody = createPool('postgres://x:y@127.0.0.1:1/z', { name: 'spec' });
    await expect(nobody.query('select 1')).rejects.toMatchObject({ code: 'database-unavailable' });
    await nobody.end();
    const client = await pool.connect();
    await expect(client.query('select pg_terminate_backend(pg_backend_pid())')).rejects.toMatchObject({
      code: 'database-unavailable',
    });
    client.release(true);
  });

  describe.each([false, true])('with a limit on silence, pipelined: %s', (pipeline) => {
    const silenceMs = 400;
    let limited: Pool;
    const session = async () => (await limited.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!.pid;
    beforeEach(() => (limited = createPool(database.url, { name: 'spec', max: 1, pipeline, silenceMs })));
    afterEach(() => limited.end());

    it('gives a server up that says nothing, and asks by another connection', async () => {
      const before = await session();
      const unavailable = { code: 'database-unavailable' };
      await expect(limited.query('select pg_sleep(60)')).rejects.toMatchObject(unavailable);
      await expect(inTransaction(limited, (client) => client.query('select pg_sleep(60)'))).rejects.toMatchObject(
        unavailable,
      );
      expect(await session()).not.toBe(before);
    });

    it('gives it up also on a connection that was idle for longer', async () => {
      const client = await limited.connect();
      await client.query('select 1');
      await pool.query('select pg_sleep(1.5)');
      await expect(client.query('select pg_sleep(20)')).rejects.toMatchObject({ code: 'database-unavailable' });
      client.release(true);
    });

    it('keeps a connection that nobody asks anything, also in a transaction, and one that is answered bit by bit', async () => {
      const before = await session();
      await pool.query('select pg_sleep(1)');
      await inTransaction(limited, async (client) => {
        await client.query('select 1');
        await pool.query('select pg_sleep(1)');
        await client.query("select pg_sleep(0.1), repeat('x', 20000) from generate_series(1, 10)");
      });
      expect(await session()).toBe(before);
    });
  });

  it.each(['synchronous_commit', 'none'])('refuses a server that may lose acknowledged work: %s', async (setting) => {
    const careless = createPool(database.url + (setting === 'none' ? '' : `?options=-c%20${setting}%3Doff`), {
      name: 'spec',
    });
    const verdict = assertDurable(careless);
    if (setting === 'none') await verdict;
    else await expect(verdict).rejects.toMatchObject({ code: 'database-not-durable', facts: { settings: [setting] } });
    await careless.end();
  });
});
