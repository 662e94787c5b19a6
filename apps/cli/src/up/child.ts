import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { open, rename, stat } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { awaitReadyLine } from './ready-line.js';
import type { ReadyLine } from './ready-line.js';

export interface ChildSpec {
  /** A script that Node runs, and one that is loaded before it. */
  readonly script: string;
  readonly preload: string;
  /** Flags for Node. */
  readonly flags: readonly string[];
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
}

export interface RunningChild {
  readonly pid: number;
  /** Resolves with the ready line, or undefined when the process ended before it was ready. */
  readonly ready: Promise<ReadyLine | undefined>;
  /** Resolves with how it ended: `code 1`, `SIGKILL`. */
  readonly ended: Promise<string>;
  /** SIGTERM, and SIGKILL to its whole process group when it takes longer than `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/**
 * Starts a child in a process group of its own, so that a Ctrl-C at the terminal reaches the supervisor only and the stop
 * is in order. The child gets a channel whose end it notices when the supervisor is gone. No core dumps: a child's memory
 * may hold keys.
 */
export const startChild = async (spec: ChildSpec): Promise<RunningChild> => {
  const log = await openLog(spec.logFile);
  const child = spawn(
    '/bin/sh',
    [
      '-c',
      'ulimit -c 0; exec "$0" "$@"',
      process.execPath,
      ...spec.flags,
      '--import',
      pathToFileURL(spec.preload).href,
      spec.script,
    ],
    {
      env: { ...spec.env },
      detached: true,
      stdio: ['ignore', log.handle.fd, log.handle.fd, 'ipc'],
    },
  );
  let over = false;
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`));
  }).finally(() => (over = true));
  await log.handle.close();
  // Errors on the channel come with the child's end, which is noticed anyway.
  child.on('error', () => undefined);
  return {
    pid: child.pid ?? 0,
    ready: awaitReadyLine(spec.logFile, log.size, () => over),
    ended,
    stop: async (graceMs) => {
      const patience = setTimeout(() => killGroup(child), graceMs);
      child.kill('SIGTERM');
      await ended;
      clearTimeout(patience);
      killGroup(child);
    },
  };
};

const killGroup = (child: ChildProcess): void => {
  try {
    process.kill(-child.pid!, 'SIGKILL');
  } catch {
    // Nobody of the group is left.
  }
};

const LOG_LIMIT_BYTES = 20_000_000;

const openLog = async (file: string) => {
  const before = await stat(file).catch(() => undefined);
  if (before && before.size > LOG_LIMIT_BYTES) await rename(file, `${file}.1`);
  const handle = await open(file, 'a', 0o600);
  return { handle, size: (await handle.stat()).size };
};
