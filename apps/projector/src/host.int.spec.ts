import type { Parts } from '#composition';
import { event, plain } from '#events';
import { jobBackend } from '#jobs';
import type { ActorId } from '#kernel';
import { inContext, newId, systemContext } from '#kernel';
import { createLogger } from '#observability';
import { loadPolicy } from '#policy';
import { createPool } from '#postgres';
import { projection, ProjectionStates } from '#projections';
import { LedgerDouble, testDatabase } from '#testing';
import { host } from './host.js';

const Ticked = event('test.ticked', 1, { n: plain<number>('a number in a test') });

describe('the projector', () => {
  it('brings up every read model of the shipped system on an empty database, and stops', async () => {
    const database = await testDatabase();
    const readModels = createPool(database.url, { name: 'projector' });
    const logger = createLogger({ name: 'projector', level: 'silent' });
    const policy = await loadPolicy('policy/jpi');
    const parts = { ledger: new LedgerDouble(), logger, policy, readModels } as unknown as Parts;
    const projector = host(parts, jobBackend({ databaseUrl: database.url }));
    await projector.started;
    const states = new ProjectionStates(readModels);
    const all = async () => {
      const found = await states.list(0n);
      return found.length > 0 && found.every(({ state }) => state === 'running') ? found : undefined;
    };
    let found = await all();
    while (!found) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      found = await all();
    }
    await projector.stop();
    await readModels.end();
    await database.drop();
    expect(found.map(({ name }) => name)).toContain('customer_card');
  });

  it('ends the batch that is under way before it stops', async () => {
    const database = await testDatabase();
    const readModels = createPool(database.url, { name: 'projector', pipeline: true });
    const logger = createLogger({ name: 'projector', level: 'silent' });
    const [policy, ledger] = [await loadPolicy('policy/jpi'), new LedgerDouble()];
    const [begun, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const ticks = projection<{ ticks: { n: number } }>('ticks', {
      version: 1,
      holdsPersonalData: false,
      tables: 'create table ticks (n int primary key)',
    }).on(Ticked, async ({ data }, db) => {
      begun.resolve();
      await goOn.promise;
      return db.insertInto('ticks').values({ n: data.n });
    });
    const followers = { projections: [ticks], processes: () => [] };
    const parts = { ledger, logger, policy, readModels } as unknown as Parts;
    const projector = host(parts, jobBackend({ databaseUrl: database.url }), { followers });
    await projector.started;
    await inContext(systemContext(newId<ActorId>()), () =>
      ledger.append({ stream: 'ticker-1', expected: 'any', drafts: [Ticked.of({ n: 1 })] }),
    );
    await begun.promise;
    let hasStopped = false;
    const stopped = projector.stop().then(() => (hasStopped = true));
    // More than ending its connections takes.
    for (let asked = 0; asked < 50; asked++) await readModels.query('select 1');
    expect(hasStopped).toBe(false);
    goOn.resolve();
    await stopped;
    expect((await readModels.query('select n from ticks.ticks')).rows).toEqual([{ n: 1 }]);
    await readModels.end();
    await database.drop();
  });
});
