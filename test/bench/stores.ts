import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureAuthority } from '#pki';
import { testDatabase } from '#testing';

/** A server to measure, in a process of its own. */
export interface Store {
  readonly url: string;
  end(): Promise<void>;
}

const built = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The ready lines of our programs say an address or a port. */
const portIn = (ready: string): number => {
  const { port, address } = JSON.parse(ready) as { port?: number; address?: string };
  return port ?? Number(address?.split(':').at(-1));
};

/** Starts a program, and gives the port of its ready line. Throws what it said when it ends instead. */
const startProgram = async (script: string, args: readonly string[], env: NodeJS.ProcessEnv) => {
  const child = spawn(process.execPath, [script, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  for (;;) {
    const ready = said.split('\n').find((line) => line.includes('"event":"ready"'));
    if (ready) return { port: portIn(ready), stop: async () => (child.kill(), ended) };
    if ((await Promise.race([once(child.stdout, 'data'), ended.then(() => 'ended' as const)])) === 'ended')
      throw new Error(`${script} did not start: ${said}`);
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
  const { port, stop } = await startProgram(built('apps/event-node/src/main.js'), [], {
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
  const { port, stop } = await startProgram(built('test/bench/do-nothing-node.js'), [certFile, keyFile], {});
  const end = async () => {
    await stop();
    await rm(directory, { recursive: true });
  };
  return { url: urlOf(port, caFile), end };
};
