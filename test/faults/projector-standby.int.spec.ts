import { fileURLToPath } from 'node:url';
import type { Pool } from '#postgres';
import { createPool } from '#postgres';
import { testDatabase } from '#testing';
import { StandingProcess } from './standing-process.js';

const CHILD = fileURLToPath(new URL('projector.child.mjs', import.meta.url));
const LEASE_MS = 1_000;
/** From a death to the first row of the other one: twice what is promised of a lease of 5 s, for the machine may be busy. */
const WITHIN_MS = 20_000;

/** P6 and P7 of two runners on one database: each event is in the rows once, whoever was active. Runs on the built code. */
describe('two projectors', () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let pool: Pool;
  let active: StandingProcess, standby: StandingProcess;
  beforeAll(async () => {
    database = await testDatabase();
    pool = createPool(database.url, { name: 'spec', max: 2 });
    await pool.query('create table reacted (n int primary key)');
    active = launch();
    await active.says(['active']);
    standby = launch();
    await standby.says(['standby']);
  });
  afterAll(async () => {
    await Promise.all([active, standby].map((one) => one.end('SIGKILL')));
    await pool.end();
    await database.drop();
  });

  const launch = () => new StandingProcess([CHILD, database.url, String(LEASE_MS)], {});
  const latest = async () =>
    (await pool.query<{ n: number }>('select coalesce(max(n), 0) as n from counted.counted')).rows[0]!.n;
  const goesOn = async (events = 30) => {
    for (const from = await latest(); (await latest()) < from + events;)
      await new Promise((resolve) => setTimeout(resolve, 10));
  };
  const expectEachOnce = async () => {
    const { rows } = await pool.query<{ position: string; rows: number; latest: number; status: string }>(
      `select position, status, (select count(*)::int from counted.counted) as rows, (select max(n) from counted.counted) as latest
       from projections.build where name = 'counted'`,
    );
    const [{ position, rows: count, latest: last, status }] = rows as [(typeof rows)[0]];
    expect({ status, count, last }).toEqual({ status: 'running', count: Number(position), last: Number(position) });
    const missing = await pool.query(
      `select n from generate_series(1, (select position from projections.build where name = 'reacting')) as n except select n from reacted`,
    );
    expect(missing.rows).toEqual([]);
  };
  const by = async (): Promise<number> =>
    (await pool.query<{ by: number }>('select count(distinct by)::int as by from counted.counted')).rows[0]!.by;
  /** Lets the active one die as `death` says, and resolves when the other has gone on. */
  const handOver = async (death: () => Promise<void> | void): Promise<void> => {
    await goesOn();
    const from = standby.said.length;
    const diedAtMs = performance.now();
    await death();
    await standby.says(['active'], from);
    await goesOn(1);
    expect(performance.now() - diedAtMs).toBeLessThan(WITHIN_MS);
    [active, standby] = [standby, active];
    await goesOn();
    await expectEachOnce();
  };

  it('go on when the active one is killed', async () => {
    await handOver(() => active.end('SIGKILL'));
    standby = launch();
    await standby.says(['standby']);
  });

  it('go on when the active one is stopped; awake again, it writes nothing and stands by', async () => {
    const stopped = active;
    await handOver(() => stopped.signal('SIGSTOP'));
    const from = stopped.said.length;
    stopped.signal('SIGCONT');
    await stopped.says(['standby'], from);
    await goesOn();
    await expectEachOnce();
  });

  it('hand over at once when the active one is told to end', async () => {
    await handOver(() => active.end('SIGTERM'));
    standby = launch();
    await standby.says(['standby']);
  });

  it('have one active again after its connection to the database was cut', async () => {
    await goesOn();
    await pool.query('select pg_terminate_backend(session_pid, 5000) from leases.lease');
    await goesOn();
    await expectEachOnce();
    expect(await by()).toBeGreaterThanOrEqual(3);
  });
});
