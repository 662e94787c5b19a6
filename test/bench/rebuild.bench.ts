import { setTimeout as delay } from 'node:timers/promises';
import { EventStoreDBClient } from '@eventstore/db-client';
import { customerCard } from '#customers';
import type { ActorId } from '#kernel';
import { newId, systemContext } from '#kernel';
import type { Ledger } from '#ledger';
import { createPool } from '#postgres';
import type { Projection } from '#projections';
import { ProjectionRunner, ProjectionStates } from '#projections';
import { holdings } from '#retention';
import { testDatabase } from '#testing';
import { projections } from '../../apps/projector/src/projections.js';
import type { Bench, Report } from './bench.js';
import { timed } from './bench.js';
import { inBulk, writeCustomer } from './business.js';
import { ledgerOver } from './ledger-over.js';
import { startEventNodeProgram, startVaultProgram } from './stores.js';

/** Each leaves ten events. */
const CUSTOMERS = 10_000;
const BARE = 'bare readAll';
const POLL_MS = 20;
/** Connections more than projections, as the runner wants them. */
const SPARE = 3;

/** Read models built from the beginning of the log into an empty database, each time by a process that holds no key yet. */
export const rebuild: Bench = {
  name: 'rebuild',
  about: 'rebuild of read models from 100,000 events, against bare readAll',
  async run(report, { scale }) {
    const customers = Math.ceil(CUSTOMERS * scale);
    const events = 10 * customers;
    const store = await startEventNodeProgram();
    const vault = await startVaultProgram(store.url);
    const writer = ledgerOver(store, vault.client);
    await inBulk(report, `making ${events.toLocaleString('en')} events`, customers, (n) => writeCustomer(writer, n));
    await writer.close();
    const client = EventStoreDBClient.connectionString(store.url);
    const read = async () => {
      for await (const _ of client.readAll({ maxCount: events }));
    };
    await read(); // warm
    report.row(BARE, (events / (await timed(read))) * 1_000, '/s');
    await client.dispose();
    for (const [what, chosen] of [
      [`one read model (${customerCard.name})`, [customerCard]],
      [`one read model (${holdings.name})`, [holdings]],
      [`all ${projections.length} read models`, projections],
    ] as const) {
      const ledger = ledgerOver(store, await vault.connect());
      const ms = await timeToBuild(report, what, ledger, chosen);
      report.row(what, (events / ms) * 1_000, '/s', BARE);
      await ledger.close();
    }
    await vault.end();
    await store.end();
  },
};

/** Milliseconds until all of them hold all that stands in the log. */
const timeToBuild = async (
  report: Report,
  what: string,
  ledger: Ledger,
  chosen: readonly Projection[],
): Promise<number> => {
  const database = await testDatabase();
  const pool = createPool(database.url, { name: 'bench', max: projections.length + SPARE, pipeline: true });
  const states = new ProjectionStates(pool);
  const context = () => systemContext(newId<ActorId>());
  const runner = new ProjectionRunner({ pool, ledger, followers: chosen, context });
  const stopping = new AbortController();
  const head = await ledger.head();
  const begun = performance.now();
  const { promise: started, resolve } = Promise.withResolvers<void>();
  const running = runner.run(stopping.signal, resolve);
  await Promise.race([started, running]);
  for (;;) {
    const found = await states.list(head);
    if (found.some(({ state }) => state === 'failed')) throw new Error(`${what}: one has stopped`);
    const least = Math.min(...found.map(({ position }) => Number(position)));
    if (found.length === chosen.length && least >= Number(head)) break;
    report.progress(what, found.length === 0 ? 0 : least / Number(head));
    await delay(POLL_MS);
  }
  const ms = performance.now() - begun;
  stopping.abort();
  await running;
  await pool.end();
  await database.drop();
  return ms;
};
