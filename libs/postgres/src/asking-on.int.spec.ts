import { testDatabase } from '#testing';
import { sql, type Kysely } from 'kysely';
import { askingOn, createDatabaseBy, createPool, inOneExchange, inTransaction, type Pool } from './index.js';

interface Tables {
  thing: { id: number; owner: string | null; note: string | null };
}

describe.each([true, false])('statements on a connection that somebody holds (pipeline: %s)', (pipeline) => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let pool: Pool;
  beforeAll(async () => {
    database = await testDatabase();
    // One connection, so that all of them meet the statements that it keeps parsed.
    pool = createPool(database.url, { name: 'spec', max: 1, pipeline });
    for (const schema of ['live', 'next'])
      await pool.query(
        `create schema ${schema}; create table ${schema}.thing (id int primary key, owner text, note text)`,
      );
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  const inSchema = <T>(schema: string, work: (db: Kysely<Tables>) => Promise<T>): Promise<T> =>
    inTransaction(pool, async (client) => {
      const db = createDatabaseBy<Tables>(askingOn(client));
      await sql`select set_config('search_path', ${schema}, true)`.execute(db);
      return work(db);
    });
  const insert = (schema: string, ids: readonly number[]) =>
    inSchema(schema, (db) =>
      Promise.all(ids.map((id) => db.insertInto('thing').values({ id, owner: 'x', note: schema }).execute())),
    );
  /** As rows are forgotten (`applyRule` of the projections): by a cursor. Gives the notes of those it met. */
  const forget = (schema: string) =>
    inSchema(schema, async (db) => {
      await sql`declare met cursor for select ctid::text as place, note from thing where owner = ${'x'}`.execute(db);
      const { rows } = await sql<{ place: string; note: string }>`fetch 500 from met`.execute(db);
      const places = rows.map(({ place }) => place);
      await sql`update thing set owner = null where ctid = any(${places}::tid[])`.execute(db);
      await sql`close met`.execute(db);
      return rows.map(({ note }) => note);
    });

  it('are parsed once, and mean the schema that they are asked in', async () => {
    for (const first of [1, 11]) {
      for (const schema of ['live', 'next']) await insert(schema, [first, first + 1]);
      for (const schema of ['live', 'next']) expect(await forget(schema)).toEqual([schema, schema]);
    }
    // As a rebuild is swapped in.
    await pool.query('alter schema live rename to old; alter schema next rename to live');
    await insert('live', [21]);
    expect(await forget('live')).toEqual(['live']);
    const counted = await pool.query('select count(*)::int as things from live.thing');
    expect(counted.rows).toEqual([{ things: 5 }]);
  });

  it('are all done or none, when they are sent at once', async () => {
    const INSERT = 'insert into public.whole values ($1)';
    await pool.query('create table public.whole (id int primary key)');
    expect(
      await inOneExchange(pool, [
        [INSERT, [1]],
        ['select from public.whole', []],
      ]),
    ).toEqual([1, 1]);
    for (const ids of [
      [1, 2],
      [2, 1],
    ])
      await expect(
        inOneExchange(
          pool,
          ids.map((id) => [INSERT, [id]] as const),
        ),
      ).rejects.toMatchObject({ code: '23505' });
    expect(await inOneExchange(pool, [['select from public.whole', []]])).toEqual([1]);
  });

  it('say so when the connection breaks before it is known what came of them', async () => {
    const broken = inOneExchange(pool, [['select pg_terminate_backend(pg_backend_pid())', []]]);
    await expect(broken).rejects.toMatchObject({ code: 'database-unavailable' });
    expect(await inOneExchange(pool, [['select 1', []]])).toEqual([1]);
  });

  it('fail with the one before them, and can be asked for again afterwards', async () => {
    const note = (db: Kysely<Tables>, id: number) =>
      db.updateTable('thing').set({ note: 'seen' }).where('id', '=', id).where('owner', 'is', null).execute();
    // Never parsed before the transaction is lost: the connection must not take it for parsed.
    const failing = inSchema('live', async (db) => {
      const twice = db.insertInto('thing').values({ id: 1, owner: 'y', note: 'twice' }).execute();
      const outcomes = await Promise.allSettled([twice, note(db, 2), note(db, 11)]);
      expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
      throw new Error('nothing of it is kept');
    });
    await expect(failing).rejects.toThrow('nothing of it is kept');
    await inSchema('live', (db) => Promise.all([note(db, 2), note(db, 11)]));
    const { rows } = await pool.query(`select id from live.thing where note = 'seen' order by id`);
    expect(rows).toEqual([{ id: 2 }, { id: 11 }]);
  });
});
