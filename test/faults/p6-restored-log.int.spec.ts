import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventId } from '#kernel';
import { freePort, newId } from '#kernel';
import { EventStoreDb } from '#ledger';
import { ensureAuthority } from '#pki';
import { testDatabase } from '#testing';
import { NodeProcess } from '../conformance/event-store/node-process.js';
import type { ArchivedEvent } from '../../libs/backup/src/log-part.js';
import { restoreLog } from '../../libs/backup/src/restore-log.js';

const STREAMS = 37;
const EVENTS = 2_000;

/** A log as people make it: streams in turn, some events of one stream together, blocks of very different size. */
const LOG: readonly ArchivedEvent[] = (() => {
  const revisions = new Map<string, bigint>();
  return Array.from({ length: EVENTS }, (_, n) => {
    const stream = `customer-${n % 5 === 4 ? (n - 1) % STREAMS : n % STREAMS}`;
    const revision = revisions.get(stream) ?? 0n;
    revisions.set(stream, revision + 1n);
    const block = randomBytes(n % 100 === 0 ? 30_000 : 200).toString('base64');
    const metadata = { schemaVersion: 1, recordedAt: new Date(0).toISOString() };
    return { stream, revision, id: newId<EventId>(), type: 'it.happened', data: { n, block }, metadata };
  });
})();
async function* batches() {
  for (let first = 0; first < LOG.length; first += 500) yield LOG.slice(first, first + 500);
}

/** The way from one installation to another server of the protocol: a process of its own, through the vendor's client. */
describe('a restored log (P6)', () => {
  let directory: string;
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let environment: Record<string, string>;
  let node: NodeProcess;
  let store: EventStoreDb;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'makuler-restore-'));
    database = await testDatabase();
    const authority = await ensureAuthority(directory);
    const { certFile, keyFile, caFile } = await authority.ensureCertificate('event-node', { usage: 'server' });
    const port = await freePort('127.0.0.1');
    environment = {
      ...{ PATH: process.env['PATH']!, EVENT_NODE_DATABASE_URL: database.url, EVENT_NODE_PORT: String(port) },
      ...{ EVENT_NODE_CERT_FILE: certFile, EVENT_NODE_KEY_FILE: keyFile, EVENT_NODE_PASSWORD: 'secret' },
    };
    node = await NodeProcess.start(environment);
    store = new EventStoreDb(`esdb://makuler:secret@localhost:${port}?tls=true&tlsCAFile=${caFile}`);
  });
  afterAll(async () => {
    await store.close();
    await node.end('SIGTERM');
    await database.drop();
    await rm(directory, { recursive: true });
  });

  const stored = async () => {
    const found: ArchivedEvent[] = [];
    for (let after: bigint | undefined; ;) {
      const page = await store.forwards({ ...(after === undefined ? {} : { after }), maxCount: 1_000 });
      found.push(...page.map(({ position: _, ...event }) => event));
      if (page.length < 1_000) return found;
      after = page.at(-1)!.position;
    }
  };

  it('has the same events in the same order, also when server and restore were killed on the way', async () => {
    let killed: Promise<unknown> | undefined;
    const first = restoreLog(store, batches(), (events) => {
      if (events >= EVENTS / 3) killed ??= node.end('SIGKILL');
    });
    await expect(first).rejects.toMatchObject({ code: 'store-unavailable' });
    await killed;
    node = await NodeProcess.start(environment);
    const landed = (await stored()).length;
    expect([landed > 0, landed < EVENTS]).toEqual([true, true]);
    expect(await restoreLog(store, batches())).toEqual({ present: landed, appended: EVENTS - landed });
    expect(await stored()).toEqual(LOG);
    expect(await restoreLog(store, batches())).toEqual({ present: EVENTS, appended: 0 });
  });
});
