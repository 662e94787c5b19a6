import type { Parts } from '#composition';
import { jobBackend } from '#jobs';
import { createLogger } from '#observability';
import { loadPolicy } from '#policy';
import { createPool } from '#postgres';
import { ProjectionStates } from '#projections';
import { LedgerDouble, testDatabase } from '#testing';
import { host } from './host.js';

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
});
