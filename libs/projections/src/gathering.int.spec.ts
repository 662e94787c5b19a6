import { assert, asyncProperty, array, constantFrom, oneof, record, nat } from 'fast-check';
import type { Kysely } from 'kysely';
import type { RecordedEvent } from '#ledger';
import type { Pool } from '#postgres';
import { askingOn, createPool, inTransaction } from '#postgres';
import { testDatabase } from '#testing';
import { GATHERED, Gathering } from './gathering.js';
import { added, joined, kept, latest, replaced } from './merges.js';
import { inserts, updates, upserts } from './row-writes.js';

interface Tables {
  thing: Thing;
  note: Note;
  tally: Tally;
  pair: Pair;
}
interface Thing {
  id: string;
  kind: string;
  /** Not fixed: the first who writes the row decides, until it is moved. */
  place: string;
  n: number;
  seen: Record<string, number>;
  first: string | null;
  last: string | null;
}
interface Note {
  id: string;
  position: number;
  text: string | null;
  at: Date;
}
interface Tally {
  kind: string;
  n: number;
}
interface Pair {
  kind: string;
  sub: string;
  n: number;
}
/** Which are different rows for the database. */
const PAIRS = [
  { kind: 'a', sub: 'x' },
  { kind: 'A', sub: 'x' },
  { kind: 'p q', sub: 'r' },
  { kind: 'p', sub: 'q r' },
];
type Step = { readonly does: string; readonly id: string; readonly n: number };

const event = (position: number) => ({ type: 'test.step', position: BigInt(position) }) as RecordedEvent;
const kindOf = (id: string) => `kind-${id.charCodeAt(0) % 3}`;
const placeOf = (n: number) => `place-${n % 2}`;
const thingOf = (id: string, n: number, position: number): Thing => {
  const day = n === 0 ? null : `2026-0${(n % 9) + 1}-0${(position % 9) + 1}`;
  return { id, kind: kindOf(id), place: placeOf(n), n, seen: { [position % 4]: n }, first: day, last: day };
};

const insertNote = inserts<Note>('note');
const seeThing = upserts<Thing>('thing', {
  key: ['id'],
  set: { n: added, seen: joined('0'), first: kept, last: latest },
});
const insertThing = inserts<Thing>('thing');
const replaceThing = upserts<Thing>('thing', { key: ['id'], set: { n: replaced, first: replaced } });
const addTo = (by: 'id' | 'kind', times: number) =>
  updates<Thing, 'id' | 'kind' | 'n'>('thing', {
    ...{ by, given: { id: 'text', kind: 'text', n: 'numeric' } },
    set: { n: `thing.n * ${times} + given.n` },
  });
const [addToOne, addToKind] = [addTo('id', 3), addTo('kind', 5)];
const addToPlace = updates<Thing, 'place' | 'n'>('thing', {
  ...{ by: 'place', given: { place: 'text', n: 'numeric' } },
  set: { n: 'thing.n * 7 + given.n' },
});
const moveThing = updates<Thing, 'id' | 'place'>('thing', { by: 'id', given: { id: 'text', place: 'text' } });
const correctNotes = updates<Note, 'id' | 'text'>('note', { by: 'id', given: { id: 'text', text: 'text' } });
const count = upserts<Tally>('tally', { key: ['kind'], set: { n: added } });
const countPair = upserts<Pair>('pair', { key: ['kind', 'sub'], set: { n: added } });
const resetTally = updates<Tally, 'kind' | 'n'>('tally', { by: 'kind', given: { kind: 'text', n: 'numeric' } });

/** P7: that statements are gathered is not seen in the rows. */
describe('statements that are gathered', () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let pool: Pool;
  beforeAll(async () => {
    database = await testDatabase();
    pool = createPool(database.url, { name: 'spec', pipeline: true });
    await pool.query(`
      create table thing (id text primary key, kind text not null, n numeric not null, place text not null, seen jsonb not null, first text, last date);
      create table note (id text, position int primary key, text text, at timestamptz not null);
      create table tally (kind text primary key, n int not null);
      create table pair (kind text, sub text, n int not null, primary key (kind, sub))`);
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  /** Does the steps in one transaction; gives the rows, and how many statements it took to make them. */
  const outcome = (steps: readonly Step[], apart: boolean) =>
    inTransaction(pool, async (client) => {
      await client.query('truncate thing, note, tally, pair');
      let asked = 0;
      const ask = askingOn(client);
      const counting: typeof ask = (text, values) => (asked++, ask(text, values));
      const gathering = new Gathering(counting, { fixed: ['kind'], apart });
      const db = gathering.database<Tables>();
      for (const [position, { does, id, n }] of steps.entries())
        gathering.add(event(position), await statements(db, does)(id, n, position));
      await gathering.settled();
      const rows = async (table: string) =>
        (await client.query(`select t::text as row from ${table} t order by 1`)).rows as unknown[];
      return {
        asked,
        things: await rows('thing'),
        notes: await rows('note'),
        tallies: await rows('tally'),
        pairs: await rows('pair'),
      };
    });

  const statements = (db: Kysely<Tables>, does: string) =>
    ({
      note: (id: string, n: number, position: number) =>
        insertNote({ id, position, text: n === 0 ? null : `"${n}\\ud800\ud800`, at: new Date(n) }),
      seen: (id: string, n: number, position: number) => seeThing(thingOf(id, n, position)),
      fresh: (_id: string, n: number, position: number) => {
        const thing = thingOf(`fresh-${position}`, n, position);
        return [insertThing(thing), seeThing(thing)];
      },
      replace: (id: string, n: number, position: number) => replaceThing(thingOf(id, n, position)),
      add: (id: string, n: number) => addToOne({ id, kind: kindOf(id), n }),
      kind: (id: string, n: number) => addToKind({ id, kind: kindOf(id), n }),
      place: (_id: string, n: number) => addToPlace({ place: placeOf(n), n }),
      move: (id: string, n: number) => moveThing({ id, place: placeOf(n) }),
      correct: (id: string, n: number) => correctNotes({ id, text: String(n) }),
      pair: (id: string, n: number) => countPair({ ...PAIRS[n]!, n: id.charCodeAt(0) }),
      count: (id: string, n: number) => count({ kind: kindOf(id), n }),
      reset: (id: string, n: number) => resetTally({ kind: kindOf(id), n }),
      remove: (id: string) => db.deleteFrom('thing').where('id', '=', id),
      look: async (id: string, _n: number, position: number) => {
        const found = await db.selectFrom('thing').select('n').where('id', '=', id).execute();
        return insertNote({ id, position, text: JSON.stringify(found), at: new Date(0) });
      },
    })[does] as (id: string, n: number, position: number) => any;

  it('leave the rows that they leave one by one, whatever stands between them', async () => {
    const id = constantFrom('a', 'b', 'c', 'd');
    const often = constantFrom(
      'note',
      'seen',
      'seen',
      'replace',
      'add',
      'kind',
      'place',
      'correct',
      'count',
      'pair',
      'reset',
    );
    const does = oneof(
      { weight: 14, arbitrary: often },
      { weight: 1, arbitrary: constantFrom('remove', 'look', 'move', 'fresh') },
    );
    const steps = array(record({ does, id, n: nat(3) }), { maxLength: 30, size: 'max' });
    await assert(
      asyncProperty(steps, async (some) => {
        const { asked: _, ...gathered } = await outcome(some, false);
        const { asked: __, ...oneByOne } = await outcome(some, true);
        expect(gathered).toEqual(oneByOne);
      }),
      { numRuns: 100 },
    );
  }, 120_000);

  it('are one for each table, when they concern different rows', async () => {
    const steps = Array.from({ length: 200 }, (_, n) => ({ does: n % 2 ? 'note' : 'seen', id: `id-${n}`, n }));
    expect(await outcome(steps, false)).toMatchObject({ asked: 2 });
    expect(await outcome(steps, true)).toMatchObject({ asked: 200 });
  });

  it('count up in one statement, however often one row is meant', async () => {
    const steps = Array.from({ length: 50 }, (_, n) => ({ does: 'count', id: 'abc'[n % 3]!, n }));
    expect(await outcome(steps, false)).toMatchObject({ asked: 1, tallies: [{}, {}, {}] });
  });

  it('are merged for one key only, and never for two that are written alike', async () => {
    const steps = [0, 1, 2, 3, 0].map((n) => ({ does: 'pair', id: 'a', n }));
    const { asked, pairs } = await outcome(steps, false);
    expect(pairs).toHaveLength(PAIRS.length);
    expect(asked).toBeLessThan(steps.length);
  });

  it('are sent before they are larger than a statement should be', async () => {
    const lengths: number[] = [];
    const ask = (_text: string, [rows]: readonly unknown[]) => Promise.resolve(lengths.push(String(rows).length));
    const gathering = new Gathering(ask, { fixed: [], apart: false });
    const text = 'x'.repeat(2 ** 20);
    for (let position = 0; position < 20; position++)
      gathering.add(event(position), insertNote({ id: 'a', position, text, at: new Date(0) }));
    expect(lengths).toHaveLength(2);
    await gathering.settled();
    expect(lengths).toHaveLength(3);
    for (const length of lengths) expect(length).toBeLessThan(GATHERED + 2 * text.length);
  });

  it('look for the rows of an update in the index, also when the statement is planned for empty tables', async () => {
    const plan = await inTransaction(pool, async (client) => {
      await client.query('create temporary table thing on commit drop as select * from thing limit 0');
      await client.query('create index thing_kind on thing (kind)');
      await client.query('set local enable_seqscan = off');
      const { text } = addToKind({ id: 'a', kind: 'kind-1', n: 1 }).statement;
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain (generic_plan) ${text}`);
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    });
    expect(plan).toMatch(/Index Cond: \(kind = given\.kind\)/);
    expect(plan).toMatch(/TID Cond: \(ctid = found\.place\)/);
  });

  it('is refused where a statement would change what it finds rows by', () => {
    expect(() => updates<Thing, 'id'>('thing', { by: 'id', given: { id: 'text' }, set: { id: `'b'` } })).toThrow(
      'thing: id finds the row',
    );
    expect(() => upserts<Thing>('thing', { key: ['id'], set: { id: replaced } })).toThrow('thing: id finds the row');
  });
});
