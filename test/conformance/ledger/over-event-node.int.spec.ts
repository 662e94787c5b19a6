import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventRegistry } from '#events';
import { SystemClock } from '#kernel';
import { EventStoreDb, EventStoreLedger } from '#ledger';
import { ensureAuthority } from '#pki';
import { VaultDouble, testDatabase } from '#testing';
import { startEventNode } from '../../../apps/event-node/src/server.js';
import { describeLedger, suiteEvents } from './ledger.suite.js';

describeLedger('EventStoreLedger over the event node', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'makuler-ledger-'));
  const database = await testDatabase();
  const authority = await ensureAuthority(directory);
  const { certFile, keyFile, caFile } = await authority.ensureCertificate('event-node', { usage: 'server' });
  const password = randomBytes(16).toString('hex');
  const node = await startEventNode({ databaseUrl: database.url, port: 0, certFile, keyFile, password });
  const vault = new VaultDouble();
  const url = `esdb://makuler:${password}@localhost:${node.port}?tls=true&tlsCAFile=${caFile}`;
  const registry = new EventRegistry(suiteEvents);
  const policyVersion = () => 'test';
  const ledger = new EventStoreLedger({
    store: new EventStoreDb(url),
    vault,
    registry,
    clock: new SystemClock(),
    policyVersion,
  });
  return {
    ledger,
    shred: async (owner) => void vault.shred(owner),
    outage: async (on) => void (vault.away = on),
    async close() {
      await ledger.close();
      await node.close();
      await database.drop();
      await rm(directory, { recursive: true });
    },
  };
});
