import { createDatabase, createPool, migrate } from '#postgres';
import { testDatabase } from '#testing';
import type { Build } from './build.js';
import { LeadershipLost, moveCheckpoint } from './build.js';
import { process } from './process.js';
import type { ProjectionTables } from './schema.js';
import { migrations } from './schema.js';
import { insertBuild } from './tables.js';

describe('moving a checkpoint', () => {
  it('is for one runner only, even if two believe to be the active one', async () => {
    const database = await testDatabase();
    const pool = createPool(database.url, { name: 'test' });
    await migrate(pool, 'projections', migrations);
    const db = createDatabase<ProjectionTables>(pool);
    const follower = process('reacting');
    await insertBuild(db, follower, 'live');
    const build = (): Build => ({ follower, role: 'live', position: 0n, caughtUp: false, failed: false });
    const move = () =>
      db
        .transaction()
        .execute((transaction) => moveCheckpoint(transaction, [build()], { position: 7n, events: [], live: true }));
    const outcomes = await Promise.allSettled([move(), move()]);
    await pool.end();
    await database.drop();
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: expect.any(LeadershipLost) });
  });
});
