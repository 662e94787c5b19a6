import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '#kernel';

/** Whether Debian's `redis-server` is on this machine; `.ci/run` installs it. */
export const hasRedis = (): boolean => spawnSync('redis-server', ['--version']).status === 0;

/** Of every Redis and sentinel of the tests. */
export const PASSWORD = 'test-password';

/** A Redis of the test's own, with a password and nothing kept on disk. */
export interface RedisServer {
  /** Without a path: append `/N` for database N, of 1,024. */
  readonly url: string;
  readonly port: number;
  /** Stopped (`SIGSTOP`), it takes connections and what is sent, and answers nothing. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  stop(): Promise<void>;
}

/** Resolves when it takes connections. Throws what it said when it ends instead. `settings`: further ones, by their names. */
export const startRedis = async (settings: Readonly<Record<string, string | number>> = {}): Promise<RedisServer> => {
  const port = await freePort('127.0.0.1');
  const directory = await mkdtemp(join(tmpdir(), 'makuler-redis-'));
  const own = { port, dir: directory, bind: '127.0.0.1', requirepass: PASSWORD, databases: 1024, save: '' };
  const flags = Object.entries({ ...own, ...settings }).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { signal, stop } = await runRedis(flags, 'Ready to accept connections');
  return {
    url: `redis://:${PASSWORD}@127.0.0.1:${port}`,
    port,
    signal,
    async stop() {
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
};

/** Resolves when it has said `ready`. */
export const runRedis = async (
  flags: readonly string[],
  ready: string,
): Promise<Pick<RedisServer, 'signal' | 'stop'>> => {
  const child = spawn('redis-server', flags, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  while (!said.includes(ready))
    if ((await Promise.race([once(child.stdout, 'data'), ended.then(() => 'ended' as const)])) === 'ended')
      throw new Error(`redis-server did not start: ${said}`);
  return {
    signal: (name) => void child.kill(name),
    async stop() {
      child.kill();
      await ended;
    },
  };
};
