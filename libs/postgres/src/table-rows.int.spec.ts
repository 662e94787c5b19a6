import { testDatabase } from '#testing';
import { inTransaction, migrate, MigrationError } from './index.js';
import type { Migration, Pool } from './index.js';
import { createPool } from './pool.js';
import { appliedMigrations, insertRows, onSnapshot, remakeSchemas, rowsOf, tablesOf } from './table-rows.js';

const MIGRATIONS: readonly Migration[] = [
  {
    id: '001',
    up: `create table kept (kept_id uuid primary key, amount bigint not null, sealed bytea, at timestamptz, said json);
         create table a_part (part integer, kept_id uuid references kept, primary key (kept_id, part));`,
  },
  { id: '002', up: 'alter table kept add column note text default $$new$$' },
];
const ROWS = [
  `{"kept_id":"00000000-0000-4000-8000-000000000001","amount":9007199254740993,"sealed":"\\\\x00ff","at":"2026-01-02T03:04:05.678901+00:00","said":{"a": [1]}}`,
  `{"kept_id":"00000000-0000-4000-8000-000000000002","amount":-1,"sealed":null,"at":null,"said":null}`,
];

describe('rows of whole tables', () => {
  const databases: Awaited<ReturnType<typeof testDatabase>>[] = [];
  const pools: Pool[] = [];
  const open = async () => {
    const database = await testDatabase();
    databases.push(database);
    const pool = createPool(database.url, { name: 'spec', max: 2 });
    pools.push(pool);
    return pool;
  };
  afterAll(async () => {
    await Promise.all(pools.map((pool) => pool.end()));
    await Promise.all(databases.map((database) => database.drop()));
  });
  const all = async (pool: Pool) => {
    const found: [string, readonly string[]][] = [];
    const read = onSnapshot(pool, async function* (client) {
      for (const table of await tablesOf(client))
        for await (const rows of rowsOf(client, table)) yield [table, rows] as [string, readonly string[]];
    });
    for await (const batch of read) found.push(batch);
    return found;
  };

  it('are read in the order of their references and keys, and come out the same in another database', async () => {
    const [from, to] = [await open(), await open()];
    await migrate(from, 'spec', MIGRATIONS.slice(0, 1));
    await inTransaction(from, async (client) => {
      await insertRows(client, 'kept', ROWS.toReversed());
      await insertRows(client, 'a_part', [`{"part":1,"kept_id":"00000000-0000-4000-8000-000000000002"}`]);
    });
    const read = await all(from);
    expect(read.map(([table, rows]) => [table, rows.length])).toEqual([
      ['kept', 2],
      ['a_part', 1],
    ]);
    expect(read[0]![1]).toEqual(ROWS);

    await migrate(to, 'spec', MIGRATIONS);
    await remakeSchemas(to, [{ name: 'spec', migrations: MIGRATIONS, steps: ['001'] }]);
    await inTransaction(to, async (client) => {
      for (const [table, rows] of read) await insertRows(client, table, rows);
      expect(await appliedMigrations(client, 'spec')).toEqual(['001']);
    });
    expect(await all(to)).toEqual(read);
    await migrate(to, 'spec', MIGRATIONS);
    expect((await to.query('select note from kept')).rows).toEqual([{ note: 'new' }, { note: 'new' }]);
  });

  it('are one line each', async () => {
    const pool = await open();
    await migrate(pool, 'spec', MIGRATIONS);
    await pool.query('insert into kept (kept_id, amount, said) values (gen_random_uuid(), 1, $1)', [
      '{\n  "a": "b\\n"\r\n}',
    ]);
    const [[, rows] = []] = await all(pool);
    expect(rows![0]).not.toMatch(/[\n\r]/);
    expect(JSON.parse(rows![0]!)).toMatchObject({ said: { a: 'b\n' } });
  });

  it('are of one moment, whatever is written meanwhile, and give the connection back when nobody reads on', async () => {
    const pool = await open();
    await migrate(pool, 'spec', MIGRATIONS);
    const read = onSnapshot(pool, async function* (client) {
      yield (await client.query('select count(*) from kept')).rows[0];
      yield (await client.query('select count(*) from kept')).rows[0];
    });
    expect((await read.next()).value).toEqual({ count: '0' });
    await pool.query('insert into kept (kept_id, amount) values (gen_random_uuid(), 1)');
    expect((await read.next()).value).toEqual({ count: '0' });
    await read.return();
    for (let n = 0; n < 3; n++) {
      const left = onSnapshot(pool, (client) => rowsOf(client, 'kept'));
      await left.next();
      await left.return();
    }
    expect((await pool.query('select count(*) from kept')).rows).toEqual([{ count: '1' }]);
  });

  it('are not taken into a schema that this version does not know', async () => {
    const pool = await open();
    await migrate(pool, 'spec', MIGRATIONS);
    const steps = ['001', '002', '003'];
    await expect(remakeSchemas(pool, [{ name: 'spec', migrations: MIGRATIONS, steps }])).rejects.toThrow(
      MigrationError,
    );
    expect((await pool.query('select count(*) from kept')).rows).toEqual([{ count: '0' }]);
  });
});
