import { createDatabase, createPool, migrate } from '#postgres';
import { LedgerDouble, testDatabase } from '#testing';
import type { Write } from './build.js';
import type { Notice } from './notice.js';
import { swapFinished } from './plan.js';
import { projection } from './projection.js';
import type { ProjectionTables } from './schema.js';
import { migrations } from './schema.js';
import { createBuild } from './tables.js';

const facts = projection('facts', { version: 1, holdsPersonalData: false, tables: 'create table facts (n int)' });

describe('swapping a rebuild in', () => {
  it.each([
    ['is not done while it is behind the tables that it would replace', 4, 'running', true, false],
    ['is not done before it has met the end of the log', 9, 'running', false, false],
    ['is done once it is as far', 5, 'running', true, true],
    ['does not wait for tables that have stopped', 4, 'failed', true, true],
  ])('%s', async (_, position, live, caughtUp, swapped) => {
    const database = await testDatabase();
    const pool = createPool(database.url, { name: 'test' });
    await migrate(pool, 'projections', migrations);
    const db = createDatabase<ProjectionTables>(pool);
    const write: Write = (work) => db.transaction().execute(work);
    await createBuild(write, facts, 'live');
    await createBuild(write, facts, 'next');
    await pool.query(`update projections.build set position = 5, status = $1 where role = 'live'`, [live]);
    await pool.query(`update projections.build set position = $1 where role = 'next'`, [position]);
    const notices: Notice[] = [];
    const notice = (one: Notice) => notices.push(one);
    const planning = { db, write, ledger: new LedgerDouble(), followers: [facts], notice };
    await swapFinished(planning, () => caughtUp);
    const { rows } = await pool.query('select role, position from projections.build order by role');
    await pool.end();
    await database.drop();
    expect(notices).toHaveLength(swapped ? 1 : 0);
    expect(rows).toHaveLength(swapped ? 1 : 2);
    if (swapped) expect(rows).toEqual([{ role: 'live', position: String(position) }]);
  });
});
