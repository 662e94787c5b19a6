import { SystemClock } from '#kernel';
import type { Pool } from '#postgres';
import { createDatabase, createPool, migrate } from '#postgres';
import { testDatabase } from '#testing';
import type { Build, Database } from './build.js';
import { LeadershipLost, markStatus, moveCheckpoint } from './build.js';
import { assertLed, Leadership } from './leadership.js';
import { process } from './process.js';
import type { ProjectionTables } from './schema.js';
import { migrations } from './schema.js';
import { createBuild, insertBuild } from './tables.js';
import { projection } from './projection.js';

describe('moving a checkpoint', () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let pool: Pool;
  let db: Database;
  let leadership: Leadership;
  /** All that were ever acquired: a test that fails leaves none behind, or the pool would wait for its session for ever. */
  const acquired: Leadership[] = [];
  const follower = process('reacting');
  const build = (): Build => ({ follower, role: 'live', position: 0n, caughtUp: false, failed: false });
  const lead = async () => {
    const leads = await Leadership.acquire(
      { pool, clock: new SystemClock(), leaseMs: 60_000, onStandby: () => undefined },
      AbortSignal.timeout(30_000),
    );
    acquired.push(leads);
    return leads;
  };
  const move = ({ right } = leadership) =>
    db
      .transaction()
      .execute((transaction) =>
        moveCheckpoint(transaction, right, [build()], { position: 7n, events: [], live: true }),
      );

  beforeEach(async () => {
    database = await testDatabase();
    pool = createPool(database.url, { name: 'test' });
    await migrate(pool, 'projections', migrations);
    db = createDatabase<ProjectionTables>(pool);
    leadership = await lead();
    await leadership.writing(db)((transaction) => insertBuild(transaction, follower, 'live'));
  });
  afterEach(async () => {
    await Promise.all(acquired.splice(0).map((leads) => leads.release()));
    await pool.end();
    await database.drop();
  });

  it('is done once, even if two do it by one right', async () => {
    const outcomes = await Promise.allSettled([move(), move()]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: expect.any(LeadershipLost) });
  });

  it('is not for a runner whose lease is another’s, however sure it is of it; nor is anything else', async () => {
    const before = leadership;
    const write = before.writing(db);
    // What a contender does to a runner that is stopped: its session ends, and it does not know.
    await pool.query('select pg_terminate_backend(session_pid, 5000) from leases.lease');
    leadership = await lead();
    await expect(move(before)).rejects.toThrow(LeadershipLost);
    await expect(markStatus(write, [build()], 'failed')).rejects.toThrow(LeadershipLost);
    const model = projection('late', { version: 1, holdsPersonalData: false, tables: 'create table late (n int)' });
    await expect(createBuild(write, model, 'live')).rejects.toThrow(LeadershipLost);
    await expect(assertLed(db, before.right)).rejects.toThrow(LeadershipLost);
    const { rows } = await pool.query(`select name, position, status from projections.build`);
    expect(rows).toEqual([{ name: 'reacting', position: '0', status: 'catching-up' }]);
    await move();
  });
});
