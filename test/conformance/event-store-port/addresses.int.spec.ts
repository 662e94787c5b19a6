import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { EventId } from '#kernel';
import { MakulerError, freePort, newId } from '#kernel';
import type { StreamName } from '#ledger';
import { EventStoreDb } from '#ledger';
import type { CertificateFiles } from '#pki';
import { ensureAuthority } from '#pki';
import { testDatabase } from '#testing';
import { startGossip } from './gossip-server.js';
import { startEventNode } from '../../../apps/event-node/src/server.js';

const PASSWORD = 'h3mme:l/g@';

describe('the event store at an address', () => {
  const closing: (() => Promise<unknown>)[] = [];
  let files: CertificateFiles;
  let port: number;
  let otherCa: string;
  const at = ({ scheme = 'esdb', password = PASSWORD, caFile = files.caFile, hosts = `localhost:${port}` } = {}) => {
    const query = `tlsCAFile=${encodeURIComponent(caFile)}&maxDiscoverAttempts=1`;
    const store = new EventStoreDb(`${scheme}://makuler:${encodeURIComponent(password)}@${hosts}?${query}`);
    closing.push(() => store.close());
    return store;
  };

  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'makuler event store-'));
    const { url, drop } = await testDatabase();
    const authority = await ensureAuthority(join(directory, 'certificates'));
    otherCa = (await ensureAuthority(join(directory, 'other'))).caFile;
    files = await authority.ensureCertificate('event-node', { usage: 'server' });
    const node = await startEventNode({ databaseUrl: url, port: 0, ...files, password: PASSWORD });
    port = node.port;
    closing.push(
      () => rm(directory, { recursive: true }),
      drop,
      () => node.close(),
    );
  });
  afterAll(async () => {
    for (const close of closing.toReversed()) await close();
  });

  it.each(['esdb', 'kurrentdb'])(
    'is reached over TLS by %s://, with a password of any signs and its authority in a file',
    async (scheme) => {
      await isUsable(at({ scheme }));
    },
  );

  it.each([
    ['a list of nodes', 'esdb', (seed: number) => `localhost:${seed},localhost:1`],
    ['a name that all nodes have', 'esdb+discover', (seed: number) => `localhost:${seed}`],
  ])('is found by %s, and found again after none of them could say where', async (_, scheme, hosts) => {
    const seed = await freePort('localhost');
    const store = at({ scheme, hosts: hosts(seed) });
    const attempts = [store.head(), store.append(stream(), 'no-stream', [event()], 5_000), first(store)];
    for (const refused of await Promise.allSettled(attempts))
      expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'store-unavailable' } });
    const stopGossip = await startGossip(seed, files, port);
    closing.push(async () => stopGossip());
    await isUsable(store);
    expect(await first(store)).toMatchObject({ events: expect.anything() as unknown });
  });

  it.each([
    ['the certificate of another authority', () => ({ caFile: otherCa })],
    ['a wrong password', () => ({ password: 'wr0ng' })],
  ])('with %s is an outage, and what is said of it holds no password', async (_, wrong) => {
    const store = at(wrong());
    const attempts = [store.read(stream()), store.head(), store.append(stream(), 'no-stream', [event()], 5_000)];
    for (const refused of await Promise.all(attempts.map((attempt) => attempt.catch((error: unknown) => error)))) {
      expect(refused).toBeInstanceOf(MakulerError);
      expect(refused).toMatchObject({ code: 'store-unavailable' });
      const secrets = [PASSWORD, 'wr0ng'].flatMap((secret) => [
        ...[secret, encodeURIComponent(secret)],
        Buffer.from(`makuler:${secret}`).toString('base64'),
      ]);
      for (const secret of secrets) expect(inspect(refused, { depth: 20 })).not.toContain(secret);
    }
  });
});

const stream = () => `customer-${newId()}` as StreamName;
const event = () => ({ id: newId<EventId>(), type: 'x', data: { n: 1 }, metadata: {} });

const isUsable = async (store: EventStoreDb): Promise<void> => {
  const name = stream();
  await store.append(name, 'no-stream', [event()], 5_000);
  expect(await store.read(name)).toMatchObject([{ type: 'x', data: { n: 1 } }]);
};

const first = async (store: EventStoreDb) => {
  for await (const batch of store.subscribe({ maxBatch: 10 })) return batch;
  return undefined;
};
