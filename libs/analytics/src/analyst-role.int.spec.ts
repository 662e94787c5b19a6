import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import pg from 'pg';
import { customerCard } from '#customers';
import type { Pool } from '#postgres';
import { createPool } from '#postgres';
import { ensureDatabases } from '#postgres/embedded';
import { LedgerDouble, RunningProjections } from '#testing';
import { analytics } from './analytics.projection.js';
import { mergeSmallGroups } from './merge-small-groups.js';
import { prepareAnalytics } from './prepare-analytics.js';

const VIEWS = ['customers_by_month', 'sales_by_month', 'service_by_month'];
const MINIMUM = 5;
const server = process.env['MAKULER_TEST_POSTGRES']!;
const tag = randomBytes(4).toString('hex');
/** The databases as `makuler up` makes them: the read models, and another that is none of an analyst's business. */
const [readmodels, vault, analyst] = [`readmodels_${tag}`, `vault_${tag}`, `analyst_${tag}`];
const as = (name: string, database: string) => {
  const url = new URL(`${server}/${database}`);
  url.username = name;
  url.password = name;
  return url.href;
};

/** What the analyst's SQL gives, or the code of why it doesn't. */
const ask = async (sql: string, database = readmodels): Promise<any[] | string> => {
  const client = new pg.Client({ connectionString: as(analyst, database) });
  try {
    await client.connect();
    const result = (await client.query(sql)) as pg.QueryResult | pg.QueryResult[];
    return (Array.isArray(result) ? result.at(-1)! : result).rows as any[];
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    await client.end();
  }
};

describe('an analyst who asks in SQL', () => {
  let owner: Pool;
  let running: RunningProjections;

  beforeAll(async () => {
    const owned = [readmodels, vault].map((name) => ({ name, password: name }));
    const readers = [{ name: analyst, password: analyst, database: readmodels }];
    for (let time = 0; time < 2; time++) await ensureDatabases(`${server}/postgres`, owned, readers);
    owner = createPool(as(readmodels, readmodels), { name: 'spec' });
    await prepareAnalytics(owner, { minimumGroup: MINIMUM });
    running = await RunningProjections.start(owner, new LedgerDouble(), [analytics, customerCard]);
    await running.caughtUp();
    await owner.query(`insert into analytics.customers
      select day::date, r, s, lpad(n::text, 2, '0'), (random() * 12)::int + 1
        from generate_series('2026-01-01'::date, '2026-06-01', '1 month') day,
             unnest('{lead,customer}'::text[]) r, unnest('{private,business}'::text[]) s, generate_series(1, 6) n`);
    await owner.query(`insert into analytics.sales
      select n, 0, '2026-01-01'::date + n % 150, 'product', 'type ' || n % 7, lpad((n % 9)::text, 2, '0'), 'private',
             n % 3 = 0, case when n % 11 = 0 then 'EUR' else 'NOK' end, 1, n + 0.10 from generate_series(1, 400) n`);
    await owner.query(`insert into analytics.service_cases
      select gen_random_uuid(), 'repair', 'type ' || n % 5, 'closed', '2026-01-01'::date + n % 150,
             '2026-06-01', 0 from generate_series(1, 200) n`);
    await owner.query('analyze');
  });
  afterAll(async () => {
    await running.stop();
    await owner.end();
    const client = new pg.Client({ connectionString: `${server}/postgres` });
    await client.connect();
    for (const name of [readmodels, vault]) await client.query(`drop database ${name} with (force)`);
    for (const name of [analyst, readmodels, vault]) await client.query(`drop role ${name}`);
    await client.end();
  });

  it('sees the three views, and no other table of any schema, those made tomorrow included', async () => {
    await owner.query(
      'create schema tomorrow; create table tomorrow.people (name text); create table public.more (a int)',
    );
    const { rows } = await owner.query<{ name: string }>(
      `select format('%I.%I', nspname, relname) as name from pg_class join pg_namespace n on n.oid = relnamespace
        where relkind in ('r', 'v', 'm', 'p', 'S') and nspname !~ '^(pg_|information_schema)' order by 1`,
    );
    expect(rows.length).toBeGreaterThan(10);
    const open = [];
    for (const { name } of rows) if (typeof (await ask(`select * from ${name} limit 1`)) !== 'string') open.push(name);
    expect(open).toEqual(VIEWS.map((view) => `analytics.${view}`));
    for (const view of VIEWS) expect(await ask(`select * from analytics.${view}`)).not.toEqual([]);
  });

  it.each([
    ['reads a file of the server', `select pg_read_file('postgresql.conf')`],
    ['reads its bytes', `select pg_read_binary_file('postgresql.conf')`],
    ['lists a directory', `select * from pg_ls_dir('.')`],
    ['copies a file in', `begin read write; copy pg_temp.x from '/etc/passwd'`],
    ['runs a program', `copy (select 1) to program 'id'`],
    ['reads passwords', 'select * from pg_authid'],
    ['reads statistics of everybody’s columns', 'select * from pg_statistic'],
    ['makes a table', 'begin read write; create table public.mine (a int)'],
    ['makes one beside the views', 'begin read write; create table analytics.mine (a int)'],
    ['makes a temporary one', 'begin read write; create temp table mine (a int)'],
    ['makes a schema', 'begin read write; create schema mine'],
    ['makes a function', `begin read write; create function analytics.f() returns int language sql as 'select 1'`],
    ['keeps bytes in a large object', `begin read write; select lo_from_bytea(0, 'x')`],
    ['makes a large object', 'begin read write; select lo_create(0)'],
    ['writes', `begin read write; insert into analytics.customers values (now(), 'lead', 'private', '', 1)`],
    ['empties a table', 'begin read write; truncate analytics.sales'],
    ['locks a table', 'begin read write; lock table analytics.sales'],
    [
      'holds the lock by which projectors take turns',
      `select pg_advisory_lock(hashtextextended('makuler.projections', 0))`,
    ],
    ['tries to', `select pg_try_advisory_lock(hashtextextended('makuler.projections', 0))`],
    ['becomes the owner', `set role ${readmodels}`],
    ['becomes him by authorization', `set session authorization ${readmodels}`],
    ['makes itself an administrator', `begin read write; alter role ${analyst} superuser`],
    ['makes another role', 'begin read write; create role another login'],
    ['gives its rights away', 'begin read write; grant select on analytics.sales to public'],
    ['takes more room for temporary files', `set temp_file_limit = -1`],
    ['counts rows as they are written', `select pg_stat_get_tuples_inserted('analytics.customers'::regclass)`],
    ['looks at counters of tables', 'select n_tup_upd from pg_stat_all_tables'],
    ['measures a table', `select pg_relation_size('analytics.customers'::regclass)`],
    ['ends others’ sessions', `select pg_terminate_backend(pid) from pg_stat_activity where usename = '${readmodels}'`],
  ])('is refused when it %s', async (_, sql) => {
    expect(['42501', '25006', '0A000']).toContain(await ask(sql));
  });

  it.each([['postgres'], ['template1'], [vault]])('can’t connect to %s', async (database) => {
    expect(await ask('select 1', database)).toBe('42501');
  });

  it('sees neither what others are asking nor what stands in their columns', async () => {
    expect(
      await ask(
        `select query from pg_stat_activity where usename <> current_user and query not like '<%' and query <> ''`,
      ),
    ).toEqual([]);
    expect(await ask(`select * from pg_stats where schemaname not in ('pg_catalog', 'information_schema')`)).toEqual(
      [],
    );
    expect(
      await ask(`select rolpassword from pg_roles where rolpassword is not null and rolpassword <> '********'`),
    ).toEqual([]);
  });

  it('learns nothing of what is behind a view from the plan of a query', async () => {
    const plan = JSON.stringify(
      await ask(
        `explain (analyze, verbose) select * from analytics.customers_by_month where month = '2026-06-01' and region = '01'`,
      ),
    );
    expect(plan).toContain('Function Scan');
    expect(plan).not.toMatch(/Seq Scan|Index|WindowAgg/);
    // And a condition that fails on a row behind the view is asked of no such row.
    expect(
      await ask(`select * from analytics.customers_by_month where 1 / (month <> '2026-06-01')::int = 1`),
    ).not.toEqual('22012');
  });

  it('has a time limit, and works read-only unless it says otherwise', async () => {
    expect(
      await ask(
        'select current_setting($$statement_timeout$$) as a, current_setting($$default_transaction_read_only$$) as b',
      ),
    ).toEqual([{ a: '1min', b: 'on' }]);
  });

  describe('people', () => {
    it('are shown in groups as small as the policy admits, merged as over HTTP', async () => {
      const shown = (await ask(
        'select * from analytics.customers_by_month order by month, merged_groups, persons',
      )) as any[];
      expect(shown.length).toBeGreaterThan(10);
      expect(shown.filter(({ persons }) => Number(persons) < MINIMUM)).toEqual([]);
      expect(shown.some(({ merged_groups: merged }) => merged > 0)).toBe(true);
      const { rows } = await owner.query('select * from analytics.customers');
      for (const [month, groups] of Map.groupBy(rows, (row) => row.month as string)) {
        const found = shown.filter((row) => dayOf(row.month) === month);
        const merged = mergeSmallGroups(
          groups.map(({ relationship, sector, region, persons }) => ({
            by: { relationship, sector, region },
            size: persons,
            sums: { persons: String(persons) },
          })),
          MINIMUM,
        );
        const expected = month === '2026-06-01' ? [] : merged.map(({ merged: n, sums }) => `${n} ${sums['persons']}`);
        expect(found.map((row) => `${row.merged_groups} ${row.persons}`).sort()).toEqual(expected.sort());
      }
    });

    it('are merged by the same rule whatever the groups are', async () => {
      const groups = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 });
      await fc.assert(
        fc.asyncProperty(groups, async (sizes) => {
          const client = await owner.connect();
          try {
            await client.query('begin');
            await client.query('delete from analytics.customers');
            await client.query(
              `insert into analytics.customers select '2030-01-01'::date, 'lead', 'private', lpad(n::text, 2, '0'), size
                 from unnest($1::int[]) with ordinality as t (size, n) union all select '2030-02-01'::date, 'lead', 'private', '', 9`,
              [sizes],
            );
            const { rows } = await client.query('select persons, merged_groups from analytics.customers_by_month');
            const all = sizes.map((size, n) => ({ by: { region: String(n) }, size, sums: { persons: String(size) } }));
            const merged = mergeSmallGroups(all, MINIMUM).filter(({ size }) => size >= MINIMUM);
            expect(rows.map((row) => `${row.merged_groups} ${row.persons}`).sort()).toEqual(
              merged.map((group) => `${group.merged} ${group.size}`).sort(),
            );
          } finally {
            await client.query('rollback');
            client.release();
          }
        }),
        { numRuns: 60 },
      );
    });

    it('are not given away by what changed between two looks: a month is shown when it is over', async () => {
      const look = () => ask('select * from analytics.customers_by_month order by 1, 2, 3, 4, 5');
      const before = await look();
      const add = (month: string) =>
        owner.query(
          `insert into analytics.customers values ($1, 'lead', 'private', '77', 1)
           on conflict (month, relationship, sector, region) do update set persons = customers.persons + 1`,
          [month],
        );
      for (let n = 0; n < 3; n++) {
        await add('2026-06-01');
        expect(await look()).toEqual(before);
      }
      // The first of a new month ends the one before, and is not shown. What came alone in it is never shown alone.
      await add('2026-07-01');
      const after = (await look()) as any[];
      expect(after.filter(({ month }) => dayOf(month) === '2026-06-01').length).toBeGreaterThan(1);
      expect(after.filter(({ month }) => dayOf(month) === '2026-07-01')).toEqual([]);
      await add('2026-08-01');
      expect(await look()).toEqual(after);
    });

    it('are not shown at all while nobody has said how small a group may be', async () => {
      await owner.query('delete from analytics_settings.minimum_group');
      expect(await ask('select * from analytics.customers_by_month')).toEqual([]);
      await prepareAnalytics(owner, { minimumGroup: MINIMUM });
      expect(await ask('select * from analytics.customers_by_month')).not.toEqual([]);
    });
  });

  it('goes on asking after the tables were built anew, and sees no more of them', async () => {
    await running.states.requestRebuild('analytics');
    for (;;) {
      const { rows } = await owner.query('select from analytics.sales');
      if (rows.length === 0) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await ask('select * from analytics.sales_by_month')).toEqual([]);
    expect(await ask('select * from analytics.sales')).toBe('42501');
  });

  it('finds every query of docs/analytics.md working', async () => {
    const queries = [...readFileSync('docs/analytics.md', 'utf8').matchAll(/```sql\n([^]*?)```/g)].map(
      ([, sql]) => sql!,
    );
    expect(queries.length).toBeGreaterThanOrEqual(5);
    for (const sql of queries) expect([sql, typeof (await ask(sql))]).toEqual([sql, 'object']);
  });
});

/** The driver here makes a Date of a day, at midnight where the test runs. */
const dayOf = (day: Date): string =>
  `${day.getFullYear()}-${String(day.getMonth() + 1).padStart(2, '0')}-${String(day.getDate()).padStart(2, '0')}`;
