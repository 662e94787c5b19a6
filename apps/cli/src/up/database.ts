import { join } from 'node:path';
import { assertDurable, createPool } from '#postgres';
import type { EmbeddedServer } from '#postgres/embedded';
import { ensureDatabases, startEmbedded } from '#postgres/embedded';
import type { Home } from './home.js';
import type { Life } from './keeper.js';
import type { DatabaseName, Secrets } from './secrets.js';
import { DATABASES } from './secrets.js';

/** The role with which analysts read the schema `analytics` of the read models. */
export const ANALYST = 'analyst';

/** Where analysts find the read models: their address without a password, and with the login `as` where it is ours to know. */
export const analyticsAddress = (readModels: string, as?: string): string => {
  const { host, pathname } = new URL(readModels);
  return `postgres://${as === undefined ? '' : `${as}@`}${host}${pathname}`;
};

/** One life of the embedded server. A later one must have the port of the first: the children know its address. */
export const beginPostgres = async (
  home: Home,
  port: number | undefined,
): Promise<Life<EmbeddedServer> & { readonly pid: number }> => {
  const server = await startEmbedded({ directory: home.postgres, logFile: join(home.logs, 'postgres.log') });
  if (port !== undefined && server.port !== port) {
    await server.stop();
    throw new Error(`port ${port} was taken by another program`);
  }
  return {
    pid: server.pid,
    ready: Promise.resolve(server),
    ended: server.exited,
    stop: () => server.stop(),
  };
};

/** Makes the databases and roles of the embedded server; answers with their addresses. */
export const prepareDatabases = async (
  server: EmbeddedServer,
  secrets: Secrets,
): Promise<Record<DatabaseName, string>> => {
  await ensureDatabases(
    server.url('postgres'),
    DATABASES.map((name) => ({ name, password: secrets[name] })),
    [{ name: ANALYST, password: secrets.analyst, database: 'readmodels' }],
  );
  const urls = DATABASES.map((name) => [name, server.url(name, { name, password: secrets[name] })] as const);
  return Object.fromEntries(urls) as Record<DatabaseName, string>;
};

/** Throws `database-not-durable` when one of the servers may lose what it acknowledges. */
export const assertAllDurable = async (urls: readonly string[]): Promise<void> => {
  await Promise.all(
    urls.map(async (url) => {
      const pool = createPool(url, { name: 'makuler up', max: 1 });
      await assertDurable(pool).finally(() => pool.end());
    }),
  );
};
