import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventRegistry } from '#events';
import { SystemClock } from '#kernel';
import { EventStoreDb, EventStoreLedger } from '#ledger';
import { ensureAuthority } from '#pki';
import { testDatabase } from '#testing';
import type { Vault } from '#vault';
import { startEventNode } from '../../../apps/event-node/src/server.js';
import { startVaultHouse } from '../../faults/vault-house.js';
import { describeLedger, suiteEvents } from './ledger.suite.js';

/** Long enough that an append has time under it on a busy machine. */
const LEASE_MS = 2_000;

const isLive = (vault: Vault): boolean => {
  try {
    vault.assertCurrent([]);
    return true;
  } catch {
    return false;
  }
};

describeLedger('EventStoreLedger over the event node and the vault', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'makuler-ledger-'));
  const database = await testDatabase();
  const house = await startVaultHouse();
  await house.stop();
  while (isLive(house.api)) await sleep(20);
  await house.start({ leaseMs: LEASE_MS });
  await house.api.ready(10_000);
  const authority = await ensureAuthority(directory);
  const { certFile, keyFile, caFile } = await authority.ensureCertificate('event-node', { usage: 'server' });
  const password = randomBytes(16).toString('hex');
  const node = await startEventNode({ databaseUrl: database.url, port: 0, certFile, keyFile, password });
  const url = `esdb://makuler:${password}@localhost:${node.port}?tls=true&tlsCAFile=${caFile}`;
  const ledger = new EventStoreLedger({
    store: new EventStoreDb(url),
    vault: house.api,
    registry: new EventRegistry(suiteEvents),
    clock: new SystemClock(),
    policyVersion: () => 'test',
  });
  return {
    ledger,
    async shred(owner) {
      const order = { orderId: randomUUID(), owner, kind: 'expiry' } as const;
      const scopeIds = (await house.shredder.scopesOf(owner)).map(({ scopeId }) => scopeId);
      await house.shredder.fence({ ...order, except: [] });
      await house.shredder.shred({ ...order, scopeIds });
      await house.shredder.release(owner, order.orderId);
    },
    async outage(on) {
      if (on) {
        await house.stop();
        // Until its lease has run out, a process rightly goes on with the keys that it has.
        while (isLive(house.api)) await sleep(20);
      } else {
        await house.start({ leaseMs: LEASE_MS });
        await house.api.ready(10_000);
      }
    },
    async close() {
      await ledger.close();
      await node.close();
      await house.end();
      await database.drop();
      await rm(directory, { recursive: true });
    },
  };
});
