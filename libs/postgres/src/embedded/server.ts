import type { ChildProcess } from 'node:child_process';
import { chmod, mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '#kernel';
import { accountFor } from './account.js';
import type { Account } from './account.js';
import { findBinaries } from './binaries.js';
import { ADMINISTRATOR, openCluster } from './cluster.js';
import type { Cluster } from './cluster.js';
import { clearLeftover, readPidFile } from './leftover.js';

const HOST = '127.0.0.1';

export interface EmbeddedOptions {
  /** Where the server keeps its files; made when missing. The caller holds the lock on it. */
  readonly directory: string;
  /** Where the server's own words go. */
  readonly logFile: string;
}

/** A running PostgreSQL of our own. */
export interface EmbeddedServer {
  readonly port: number;
  readonly pid: number;
  /** Its files were made by this start. */
  readonly created: boolean;
  /** What an earlier run had left: a server still running (it was stopped), a stale pid file, or nothing. */
  readonly leftover: 'nothing' | 'stopped' | 'stale';
  /** The address of a database, for a role, or for the administrator. Holds the password. */
  url(database: string, role?: { readonly name: string; readonly password: string }): string;
  /** Resolves when the server has ended, by itself or by `stop`, with how: `code 1`, `SIGKILL`. */
  readonly exited: Promise<string>;
  /** Fast shutdown: ends sessions, writes a checkpoint. Resolves when the process is gone. */
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL 18 on the loopback address, with a password, in a process group of its own (a Ctrl-C at the terminal
 * is for the supervisor, which stops things in order). When this process dies without stopping it, it shuts itself down.
 */
export const startEmbedded = async ({ directory, logFile }: EmbeddedOptions): Promise<EmbeddedServer> => {
  const binaries = findBinaries();
  await mkdir(directory, { recursive: true });
  // As root, the user `postgres` must pass through here to its data; it can't list or read anything else.
  await chmod(directory, process.getuid?.() === 0 ? 0o711 : 0o700);
  const account = await accountFor([binaries.postgres, join(directory, 'data')]);
  const cluster = await openCluster(directory, binaries, account);
  const leftover = await clearLeftover(cluster.data);
  const port = await choosePort(join(directory, 'port'));

  const log = await open(logFile, 'a', 0o600);
  const child = account.spawn(binaries.postgres, ['-D', cluster.data, '-p', String(port), ...SETTINGS], {
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    cwd: '/',
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`));
  });
  await log.close();
  await ready(child, cluster, exited, logFile);
  const pid = child.pid!;
  const release = watchOver(pid, account);
  void exited.then(release);
  return {
    port,
    pid,
    created: cluster.created,
    leftover,
    exited,
    url: (database, role = { name: ADMINISTRATOR, password: cluster.password }) =>
      `postgres://${role.name}:${encodeURIComponent(role.password)}@${HOST}:${port}/${database}`,
    stop: async () => {
      child.kill('SIGINT');
      await exited;
    },
  };
};

const SETTINGS = Object.entries({
  listen_addresses: HOST,
  unix_socket_directories: '',
  max_connections: '200',
  jit: 'off',
  log_timezone: 'UTC',
  timezone: 'UTC',
  // A failing statement's message and text can hold personal values: its client is told, the log file is not.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_parameter_max_length: '0',
  log_error_verbosity: 'terse',
}).flatMap(([name, value]) => ['-c', `${name}=${value}`]);

const ready = async (
  child: ChildProcess,
  cluster: Cluster,
  exited: Promise<string>,
  logFile: string,
): Promise<void> => {
  let ended: string | undefined;
  void exited.then((how) => (ended = how));
  // Recovery after a crash may take its time, and says so in the log; there is no point at which waiting turns wrong.
  for (;;) {
    const said = await readPidFile(cluster.data);
    // The file of a server that was killed still says "ready": only our own child's word counts.
    if (said?.ready && said.pid === child.pid) return;
    if (ended !== undefined) throw new Error(`PostgreSQL ended while it started (${ended}): see ${logFile}`);
    await sleep(15);
  }
};

/** The port of the last start when it is free, so that addresses in other people's tools stay valid; otherwise a free one. */
const choosePort = async (file: string): Promise<number> => {
  const last = Number(await readFile(file, 'utf8').catch(() => '0'));
  const port = await freePort(HOST, last);
  if (port !== last) await writeFile(file, String(port), { mode: 0o600 });
  return port;
};

/**
 * A shell that waits for the end of its input, which comes when this process is gone, kill -9 included, and then shuts
 * the server down. Returns how to let it go.
 */
const watchOver = (pid: number, account: Account): (() => void) => {
  const watcher = account.spawn('/bin/sh', ['-c', `read _ || kill -INT ${pid}`], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watcher.on('error', () => undefined);
  watcher.stdin?.on('error', () => undefined);
  watcher.unref();
  return () => void watcher.stdin?.end('released\n');
};
