import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * One PostgreSQL for the whole run, started only when a suite needs it: its address is MAKULER_TEST_POSTGRES. It is the
 * product's own embedded server, as built, so it ends with this process, however that ends.
 */
export default async function setup() {
  if (process.env.MAKULER_TEST_POSTGRES) return;
  const { startEmbedded } = await import('../dist/libs/postgres/src/embedded.js').catch((cause) => {
    throw new Error('these suites start PostgreSQL from the build: run `npm run build` first', { cause });
  });
  const directory = await mkdtemp(join(tmpdir(), 'makuler-pg-'));
  await chmod(directory, 0o711); // as root, PostgreSQL runs as another user, which must pass through
  const server = await startEmbedded({
    directory: join(directory, 'postgres'),
    logFile: join(directory, 'postgres.log'),
  });
  process.env.MAKULER_TEST_POSTGRES = server.url('').replace(/\/$/, '');
  globalThis.__makulerStopPostgres = async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  };
}
