import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureAuthority } from '#pki';
import { testDatabase } from '#testing';
import { GrpcVault } from '#vault';
import { flagsOf } from '../../apps/cli/src/up/flags.js';

/** A server to measure, in a process of its own. */
export interface Store {
  readonly url: string;
  end(): Promise<void>;
}

export const built = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The ready lines of our programs say an address or a port. */
const portIn = (ready: string): number => {
  const { port, address } = JSON.parse(ready) as { port?: number; address?: string };
  return port ?? Number(address?.split(':').at(-1));
};

/** Makes a program end when this one is gone, however it went: a benchmark that was cut off leaves nothing running. */
const FOLLOW = ['--import', new URL('../../libs/observability/src/follow-parent.js', import.meta.url).href];

/** Starts a program (`command`: flags for Node, the script, what it is told), and gives the port of its ready line. Throws what it said when it ends instead. */
export const startProgram = async (command: readonly string[], env: NodeJS.ProcessEnv) => {
  const stdio = ['ignore', 'pipe', 'pipe', 'ipc'] as const;
  const child = spawn(process.execPath, [...FOLLOW, ...command], { env, stdio: [...stdio] });
  const ended = once(child, 'close');
  let said = '';
  child.stdout!.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr!.on('data', (chunk: Buffer) => (said += chunk.toString()));
  for (;;) {
    const ready = said.split('\n').find((line) => line.includes('"event":"ready"'));
    if (ready) return { port: portIn(ready), pid: child.pid!, stop: async () => (child.kill(), ended) };
    if ((await Promise.race([once(child.stdout!, 'data'), ended.then(() => 'ended' as const)])) === 'ended')
      throw new Error(`${command.join(' ')} did not start: ${said}`);
  }
};

const withCertificate = async () => {
  const directory = await mkdtemp(join(tmpdir(), 'makuler-bench-'));
  const authority = await ensureAuthority(directory);
  return { directory, ...(await authority.ensureCertificate('event-node', { usage: 'server' })) };
};
const PASSWORD = 'bench';
const urlOf = (port: number, caFile: string) =>
  `esdb://makuler:${PASSWORD}@localhost:${port}?tls=true&tlsCAFile=${caFile}`;

/** The event node as it is shipped, on a database of its own. */
export const startEventNodeProgram = async (): Promise<Store> => {
  const { directory, certFile, keyFile, caFile } = await withCertificate();
  const database = await testDatabase();
  const { port, stop } = await startProgram([...flagsOf('event-node'), built('apps/event-node/src/main.js')], {
    EVENT_NODE_DATABASE_URL: database.url,
    EVENT_NODE_PORT: '0',
    EVENT_NODE_CERT_FILE: certFile,
    EVENT_NODE_KEY_FILE: keyFile,
    EVENT_NODE_PASSWORD: PASSWORD,
  });
  const end = async () => {
    await stop();
    await database.drop();
    await rm(directory, { recursive: true });
  };
  return { url: urlOf(port, caFile), end };
};

/** do-nothing-node.ts */
export const startDoNothing = async (): Promise<Store> => {
  const { directory, certFile, keyFile, caFile } = await withCertificate();
  const { port, stop } = await startProgram(
    [...flagsOf('event-node'), built('test/bench/do-nothing-node.js'), certFile, keyFile],
    {},
  );
  const end = async () => {
    await stop();
    await rm(directory, { recursive: true });
  };
  return { url: urlOf(port, caFile), end };
};

/** The vault as it is shipped, with a client that a program like the api has. */
export interface VaultUnderTest {
  readonly client: GrpcVault;
  /** Another process of the kind, as far as the vault can tell: with a lease of its own, and no key yet. */
  connect(): Promise<GrpcVault>;
  /** What a program that starts is told of it. */
  readonly environment: Readonly<Record<string, string>>;
  end(): Promise<void>;
}

/** The vault in a process of its own, on a database and custodian of its own, beside the log at `eventStoreUrl`. */
export const startVaultProgram = async (eventStoreUrl: string): Promise<VaultUnderTest> => {
  const directory = await mkdtemp(join(tmpdir(), 'makuler-bench-'));
  const authority = await ensureAuthority(join(directory, 'pki'));
  const server = await authority.ensureCertificate('vault', { usage: 'server' });
  const database = await testDatabase();
  const { port, stop } = await startProgram([...flagsOf('vault'), built('apps/vault/src/main.js')], {
    VAULT_DATABASE_URL: database.url,
    EVENTSTORE_URL: eventStoreUrl,
    VAULT_PORT: '0',
    VAULT_CERT_FILE: server.certFile,
    VAULT_KEY_FILE: server.keyFile,
    VAULT_CA_FILE: server.caFile,
    CUSTODIAN: ['a', 'b'].map((name) => join(directory, 'custodian', name)).join(','),
  });
  const files = await authority.ensureCertificate('api', { usage: 'client' });
  const clients: GrpcVault[] = [];
  const connect = async () => {
    const client = new GrpcVault({ address: `127.0.0.1:${port}`, ...files });
    clients.push(client);
    await client.ready(10_000);
    return client;
  };
  const client = await connect();
  const end = async () => {
    for (const one of clients) await one.close();
    await stop();
    await database.drop();
    await rm(directory, { recursive: true });
  };
  const environment = {
    VAULT_ADDRESS: `127.0.0.1:${port}`,
    VAULT_CLIENT_CERT_FILE: files.certFile,
    VAULT_CLIENT_KEY_FILE: files.keyFile,
    VAULT_CA_FILE: files.caFile,
  };
  return { client, connect, environment, end };
};
