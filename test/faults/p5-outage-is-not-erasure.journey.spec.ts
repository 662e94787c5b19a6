import { setTimeout as delay } from 'node:timers/promises';
import type { Installation } from '../journeys/installation.js';
import { eventually } from '../journeys/installation.js';
import { sql } from './everything-kept.js';
import { readModels } from './read-models.js';
import { OUTAGE_CODES, Witnesses, rights } from './witnesses.js';

/**
 * P5: while the vault can't be asked, nothing looks erased. Each outage meets events that the projections have not seen yet,
 * so that whoever took it for an erasure would write it down.
 */
describe('an outage is no erasure (P5)', () => {
  let witnesses: Witnesses;
  let makuler: Installation;
  beforeAll(async () => {
    witnesses = await Witnesses.start();
    ({ makuler } = witnesses);
  }, 120_000);
  afterAll(() => makuler.destroy());

  /** Lets events pile up that no projection has seen, brings the outage about, and lets the projector meet it. */
  const through = async (begin: () => Promise<void>, end: () => Promise<void>, expected: readonly string[]) => {
    await witnesses.settled();
    const [{ lease_ms: leaseMs }] = await sql(makuler, 'vault', 'select lease_ms from vault');
    await makuler.signal('projector', 'SIGSTOP');
    const before = await readModels(makuler);
    const unseen = await witnesses.take();
    await begin();
    try {
      // Keys that were leased before are good until then.
      await delay(1.1 * leaseMs);
      await makuler.signal('projector', 'SIGCONT');
      await eventually(
        () => witnesses.states(),
        (items) => items?.some(({ state }) => expected.includes(state)),
      );
      for (const person of witnesses.people.slice(0, 2)) await witnesses.expectHonest(person);
      const unread = await makuler.get(`/v1/customers/${unseen.customerId}`, {
        ...rights,
        headers: { 'makuler-after': unseen.after },
      });
      expect([unread.status, OUTAGE_CODES]).toEqual([503, expect.arrayContaining([unread.body.code])]);
      expect(await readModels(makuler)).toEqual(before);
    } finally {
      await makuler.signal('projector', 'SIGCONT');
      await end();
    }
    await witnesses.expectAllBack(before);
  };

  it('while the vault hangs', async () => {
    await through(
      () => makuler.signal('vault', 'SIGSTOP'),
      () => makuler.signal('vault', 'SIGCONT'),
      ['paused'],
    );
  }, 90_000);

  it('while the vault’s database lets nobody in', async () => {
    await through(
      async () => {
        await sql(makuler, 'postgres', 'alter database vault allow_connections false');
        await sql(
          makuler,
          'postgres',
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = 'vault'`,
        );
        // Its callers hold keys under a lease that needs no database: they begin anew.
        await makuler.signal('api', 'SIGKILL');
      },
      async () => void (await sql(makuler, 'postgres', 'alter database vault allow_connections true')),
      ['paused'],
    );
  }, 90_000);

  it('while the vault is killed again and again', async () => {
    await witnesses.settled();
    const before = await readModels(makuler);
    const person = witnesses.people[0]!;
    for (let n = 0; n < 4; n++) {
      await makuler.signal('vault', 'SIGKILL');
      for (let k = 0; k < 5; k++) await witnesses.expectHonest(person);
    }
    await eventually(
      () => witnesses.expectHonest(person),
      (statuses) => statuses.every((status) => status === 200),
      60_000,
    );
    await witnesses.take();
    await witnesses.expectAllBack(before);
  }, 90_000);
});
