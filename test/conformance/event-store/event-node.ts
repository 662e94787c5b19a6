import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureAuthority } from '#pki';
import { testDatabase } from '#testing';
import { startEventNode } from '../../../apps/event-node/src/server.js';
import type { Server } from './connection.js';

const PASSWORD = 'correct horse battery staple';

/** Our node with a database of its own, TLS and a password. `wiring` may put something between it and its PostgreSQL. */
export const startOwnNode = async (wiring = async (databaseUrl: string) => databaseUrl): Promise<Server> => {
  const directory = await mkdtemp(join(tmpdir(), 'makuler-node-'));
  const database = await testDatabase();
  const authority = await ensureAuthority(join(directory, 'pki'));
  const { certFile, keyFile, caFile } = await authority.ensureCertificate('event-node', { usage: 'server' });
  const node = await startEventNode({
    databaseUrl: await wiring(database.url),
    port: 0,
    certFile,
    keyFile,
    password: PASSWORD,
  });
  return {
    connectionString: `esdb://${node.address}?tlsCAFile=${encodeURIComponent(caFile)}`,
    credentials: { username: 'makuler', password: PASSWORD },
    async close() {
      await node.close();
      await database.drop();
      await rm(directory, { recursive: true });
    },
  };
};
