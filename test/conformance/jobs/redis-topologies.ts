import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { ensureAuthority } from '#pki';
import { freePort } from '#kernel';
import { PASSWORD, runRedis, startRedis } from './redis-server.js';

/** Redis as it stands in a cluster profile: its address, and a client that sees every key. */
export interface RedisTopology {
  readonly url: string;
  /** Clients of everything that holds keys. */
  readonly nodes: readonly Redis[];
  stop(): Promise<void>;
}

const clientOf = (port: number, tls?: object): Redis =>
  new Redis({ port, password: PASSWORD, ...(tls && { tls, host: 'localhost' }) });

/** One that speaks TLS only, and only with clients that show a certificate of the same authority. */
export const tlsRedis = async (): Promise<RedisTopology> => {
  const directory = await mkdtemp(join(tmpdir(), 'makuler-redis-tls-'));
  const authority = await ensureAuthority(directory);
  const server = await authority.ensureCertificate('redis', { usage: 'server' });
  const client = await authority.ensureCertificate('jobs', { usage: 'client' });
  const files = {
    'tls-ca-cert-file': authority.caFile,
    'tls-cert-file': server.certFile,
    'tls-key-file': server.keyFile,
  };
  const port = await freePort('127.0.0.1');
  const redis = await startRedis({ port: 0, 'tls-port': port, 'tls-auth-clients': 'yes', ...files });
  const url = (shown: string) => `rediss://:${PASSWORD}@localhost:${port}/3?tlsCAFile=${authority.caFile}${shown}`;
  const [ca, cert, key] = await Promise.all(
    [authority.caFile, client.certFile, client.keyFile].map((file) => readFile(file)),
  );
  const node = clientOf(port, { ca, cert, key });
  await node.select(3);
  return {
    url: url(`&tlsCertFile=${client.certFile}&tlsKeyFile=${client.keyFile}`),
    nodes: [node],
    async stop() {
      node.disconnect();
      await redis.stop();
      await rm(directory, { recursive: true });
    },
  };
};

const GROUP = 'jobs';

/** A primary, its replica, and a sentinel that asks for a password of its own. */
export const sentinelRedis = async (): Promise<
  RedisTopology & {
    /** Ends the primary, and has the replica take its place. */
    failOver(): Promise<void>;
  }
> => {
  const primary = await startRedis({ masterauth: PASSWORD, 'repl-diskless-sync-delay': 0 });
  const replica = await startRedis({ masterauth: PASSWORD, replicaof: `127.0.0.1 ${primary.port}` });
  const directory = await mkdtemp(join(tmpdir(), 'makuler-sentinel-'));
  const [port, file] = [await freePort('127.0.0.1'), join(directory, 'sentinel.conf')];
  await writeFile(
    file,
    [
      ...[`port ${port}`, 'bind 127.0.0.1', `dir ${directory}`, 'requirepass watch'],
      `sentinel monitor ${GROUP} 127.0.0.1 ${primary.port} 1`,
      `sentinel auth-pass ${GROUP} ${PASSWORD}`,
    ].join('\n'),
  );
  const sentinelServer = await runRedis([file, '--sentinel'], '+monitor');
  const sentinel = new Redis({ port, password: 'watch' });
  const nodes = [clientOf(primary.port), clientOf(replica.port)];
  return {
    url: `redis+sentinel://:${PASSWORD}@127.0.0.1:1,127.0.0.1:${port}/${GROUP}?sentinelPassword=watch`,
    nodes,
    async failOver() {
      await until(async () => (await nodes[0]!.wait(1, 1_000)) === 1);
      await primary.stop();
      await until(async () => (await sentinel.call('sentinel', 'failover', GROUP).catch(String)) === 'OK');
      await until(async () => (await nodes[1]!.role())[0] === 'master');
    },
    async stop() {
      for (const client of [sentinel, ...nodes]) client.disconnect();
      await Promise.all([sentinelServer.stop(), primary.stop(), replica.stop()]);
      await rm(directory, { recursive: true });
    },
  };
};

/** Three nodes that share the keys. */
export const clusterRedis = async (): Promise<RedisTopology> => {
  const settings = { 'cluster-enabled': 'yes', masterauth: PASSWORD, 'cluster-require-full-coverage': 'yes' };
  // The bus would be at the port + 10,000, which may be no port.
  const busPorts = await Promise.all([1, 2, 3].map(() => freePort('127.0.0.1')));
  const servers = await Promise.all(busPorts.map((bus) => startRedis({ ...settings, 'cluster-port': bus })));
  const nodes = servers.map(({ port }) => clientOf(port));
  const bounds = [0, 5461, 10_923, 16_384];
  await Promise.all(nodes.map((node, n) => node.call('cluster', 'addslotsrange', bounds[n]!, bounds[n + 1]! - 1)));
  for (const n of [1, 2]) await nodes[0]!.call('cluster', 'meet', '127.0.0.1', servers[n]!.port, busPorts[n]!);
  for (const node of nodes)
    await until(async () => {
      const info = String(await node.call('cluster', 'info'));
      return /cluster_state:ok/.test(info) && /cluster_known_nodes:3/.test(info);
    });
  return {
    url: `redis+cluster://:${PASSWORD}@127.0.0.1:${servers[0]!.port},127.0.0.1:${servers[1]!.port}`,
    nodes,
    async stop() {
      for (const node of nodes) node.disconnect();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
};

const until = async (look: () => Promise<boolean>): Promise<void> => {
  for (const deadline = performance.now() + 20_000; !(await look());) {
    if (performance.now() > deadline) throw new Error('never came');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
