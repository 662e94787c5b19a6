import { assert, asyncProperty, array, constantFrom, oneof, record, nat } from 'fast-check';
import { sql } from 'kysely';
import type { RecordedEvent } from '#ledger';
import type { Pool } from '#postgres';
import { askingOn, createDatabaseBy, createPool, inTransaction } from '#postgres';
import { testDatabase } from '#testing';
import { Gathering } from './gathering.js';

interface Tables {
  thing: { id: string; kind: string; n: number; seen: any };
  note: { id: string; position: number; text: string | null; at: Date };
}
type Step = { readonly does: string; readonly id: string; readonly n: number };

const event = (position: number) => ({ type: 'test.step', position: BigInt(position) }) as RecordedEvent;
const kindOf = (id: string) => `kind-${id.charCodeAt(0) % 3}`;

/** P7: that statements are gathered is not seen in the rows. */
describe('statements that are gathered', () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let pool: Pool;
  beforeAll(async () => {
    database = await testDatabase();
    pool = createPool(database.url, { name: 'spec', pipeline: true });
    await pool.query(`
      create table thing (id text primary key, kind text not null, n int not null, seen jsonb not null);
      create table note (id text, position int primary key, text text, at timestamptz not null)`);
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  /** Does the steps in one transaction; gives the rows, and how many statements it took to make them. */
  const outcome = (steps: readonly Step[], apart: boolean) =>
    inTransaction(pool, async (client) => {
      await client.query('truncate thing, note');
      let asked = 0;
      const ask = askingOn(client);
      const counting: typeof ask = (text, values) => (asked++, ask(text, values));
      const gathering = new Gathering(counting, { fixed: ['kind'], apart });
      const db = createDatabaseBy<Tables>((text, values) => (gathering.flush(), counting(text, values)));
      for (const [position, { does, id, n }] of steps.entries())
        gathering.add(event(position), await statements(db, does)(id, n, position));
      await gathering.settled();
      const rows = async (table: string) =>
        (await client.query(`select t::text as row from ${table} t order by 1`)).rows as unknown[];
      return { asked, things: await rows('thing'), notes: await rows('note') };
    });

  const statements = (db: ReturnType<typeof createDatabaseBy<Tables>>, does: string) =>
    ({
      note: (id: string, n: number, position: number) =>
        db.insertInto('note').values({ id, position, text: n === 0 ? null : `"${n}`, at: new Date(n) }),
      seen: (id: string, n: number, position: number) =>
        db
          .insertInto('thing')
          .values({ id, kind: kindOf(id), n, seen: sql`${JSON.stringify({ [position]: n })}::jsonb` })
          .onConflict((conflict) =>
            conflict
              .column('id')
              .doUpdateSet({ n: sql`thing.n * 2 + excluded.n`, seen: sql`thing.seen || excluded.seen` }),
          ),
      add: (id: string, n: number) =>
        db
          .updateTable('thing')
          .set({ n: sql`n * 3 + ${n}::int` })
          .where('id', '=', id),
      kind: (id: string, n: number) =>
        db
          .updateTable('thing')
          .set({ n: sql`n * 5 + ${n}::int` })
          .where('kind', '=', kindOf(id)),
      correct: (id: string, n: number) =>
        db
          .updateTable('note')
          .set({ text: String(n) })
          .where('id', '=', id),
      remove: (id: string) => db.deleteFrom('thing').where('id', '=', id),
      look: async (id: string, _n: number, position: number) => {
        const found = await db.selectFrom('thing').select('n').where('id', '=', id).execute();
        return db.insertInto('note').values({ id, position, text: JSON.stringify(found), at: new Date(0) });
      },
    })[does] as (id: string, n: number, position: number) => any;

  it('leave the rows that they leave one by one, whatever stands between them', async () => {
    const id = constantFrom('a', 'b', 'c', 'd', 'e', 'f');
    const often = constantFrom('note', 'seen', 'add', 'kind', 'correct');
    const does = oneof({ weight: 9, arbitrary: often }, { weight: 1, arbitrary: constantFrom('remove', 'look') });
    const steps = array(record({ does, id, n: nat(3) }), { maxLength: 25 });
    await assert(
      asyncProperty(steps, async (some) => {
        const { things, notes } = await outcome(some, false);
        expect({ things, notes }).toEqual({ ...(await outcome(some, true)), asked: undefined });
      }),
      { numRuns: 150 },
    );
  }, 120_000);

  it('are one for each table, when they concern different rows', async () => {
    const steps = Array.from({ length: 200 }, (_, n) => ({ does: n % 2 ? 'note' : 'seen', id: `id-${n}`, n }));
    expect(await outcome(steps, false)).toMatchObject({ asked: 2 });
    expect(await outcome(steps, true)).toMatchObject({ asked: 200 });
  });
});
