import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, sql } from 'kysely';
import type { InsertShape } from './statement-shape.js';
import { rowOf, shapeOf } from './statement-shape.js';

const db = new Kysely<any>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (of) => new PostgresIntrospector(of),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
});
const shape = (query: { compile(): { sql: string } }) => shapeOf(query.compile().sql);
const json = (value: unknown) => sql`${JSON.stringify(value)}::jsonb`;

describe('what a statement does', () => {
  it('is read of an insert of values, with JSON among them', () => {
    const insert = db.insertInto('card').values({ id: 'a', envelope: json({}), at: new Date(0) });
    expect(shape(insert)).toEqual({
      ...{ kind: 'insert', table: 'card', columns: ['id', 'envelope', 'at'], json: [false, true, false], key: [] },
      gathered: `insert into "card" ("id", "envelope", "at") select "id", "envelope", "at" from json_populate_recordset(null::"card", $1)`,
    });
  });

  it('is read of several rows in one insert', () => {
    const rows = [1, 2, 3].map((n) => ({ n, text: json(n) }));
    expect(shape(db.insertInto('line').values(rows))).toMatchObject({ kind: 'insert', json: [false, true] });
  });

  it('is read of an insert that changes the row that is there by what it would have inserted', () => {
    const upsert = db
      .insertInto('holding')
      .values({ id: 'a', last: '2026-01-01' })
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet({ last: sql`greatest(holding.last, excluded.last)` }),
      );
    const read = shape(upsert) as InsertShape;
    expect(read.key).toEqual(['id']);
    expect(read.gathered).toMatch(
      / on conflict \("id"\) do update set "last" = greatest\(holding.last, excluded.last\)$/,
    );
  });

  it('is read of an update of rows that are found by one value', () => {
    const update = db
      .updateTable('card')
      .set({ state: 'closed', n: 1 })
      .where('id', '=', 'a')
      .where(sql<boolean>`n <> 2`);
    expect(shape(update)).toEqual({ kind: 'update', table: 'card', column: 'id', parameter: 2, sets: ['state', 'n'] });
  });

  it.each([
    ['values that are worked out', db.insertInto('card').values({ id: sql`gen_random_uuid()` })],
    ['a question', db.insertInto('card').values({ id: db.selectFrom('card').select('id') })],
    [
      'an upsert with values of its own',
      db
        .insertInto('a')
        .values({ b: 1 })
        .onConflict((c) => c.column('b').doUpdateSet({ b: 2 })),
    ],
    [
      'an insert that may do nothing',
      db
        .insertInto('a')
        .values({ b: 1 })
        .onConflict((c) => c.doNothing()),
    ],
    ['an insert that answers', db.insertInto('a').values({ b: 1 }).returning('b')],
    [
      'an update of either of two rows',
      db
        .updateTable('a')
        .set({ b: 1 })
        .where((row) => row.or([row('c', '=', 1), row('c', '=', 2)])),
    ],
    ['an update that is no equality', db.updateTable('a').set({ b: 1 }).where('c', '>', 1)],
    ['an update of what it finds by', db.updateTable('a').set({ c: 2 }).where('c', '=', 1)],
    ['an update from elsewhere', db.updateTable('a').from('d').set({ b: 1 }).where('c', '=', 1)],
    ['a delete', db.deleteFrom('a').where('c', '=', 1)],
  ])('is not guessed of %s', (_, query) => {
    expect(shape(query)).toEqual({ kind: 'other' });
  });

  it('knows which values a JSON array would change', () => {
    const of = (value: unknown, cast = false) =>
      rowOf({ kind: 'insert', table: 't', columns: ['c'], json: [cast], key: [], gathered: '' }, [value]);
    expect([of('a"\ud800'), of(1.5), of(true), of(null), of(undefined)]).toEqual([
      '{"c":"a\\"\ufffd"}',
      ...['{"c":1.5}', '{"c":true}', '{"c":null}', '{"c":null}'],
    ]);
    expect([of(new Date(0)), of('{"a": 1}', true)]).toEqual(['{"c":"1970-01-01T00:00:00.000Z"}', '{"c":{"a": 1}}']);
    expect([
      of(NaN),
      of([1]),
      of({}),
      of(1n),
      of(Buffer.of(1)),
      of(new Date(NaN)),
      of(' null', true),
      of(null, true),
    ]).toEqual(Array.from({ length: 8 }, () => undefined));
  });
});
