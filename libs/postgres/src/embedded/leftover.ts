import { execFile } from 'node:child_process';
import { readFile, readlink, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** What a postmaster says about itself in `postmaster.pid`, line by line. */
interface PidFile {
  readonly pid: number;
  readonly ready: boolean;
}

/** Reads `postmaster.pid` of a data directory; undefined when no postmaster runs or ran into a crash. */
export const readPidFile = async (data: string): Promise<PidFile | undefined> => {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  return Number.isInteger(pid) && pid > 1 ? { pid, ready: lines[7]?.trim() === 'ready' } : undefined;
};

/**
 * Deals with what an earlier run left in the data directory, which must be locked by the caller: a postmaster that
 * outlived its supervisor is shut down in order; a pid file whose number now belongs to another program (a container
 * counts from 1 again) is removed, because PostgreSQL would believe it. Anything else its own recovery handles.
 */
export const clearLeftover = async (data: string): Promise<'nothing' | 'stopped' | 'stale'> => {
  const left = await readPidFile(data);
  if (!left || !isAlive(left.pid)) return 'nothing';
  if ((await programOf(left.pid)) !== 'postgres') {
    await rm(join(data, 'postmaster.pid'), { force: true });
    return 'stale';
  }
  await stopPostmaster(left.pid);
  return 'stopped';
};

/** SIGINT is PostgreSQL's fast shutdown: it ends sessions and writes a checkpoint. SIGQUIT leaves recovery to the next start. */
const stopPostmaster = async (pid: number): Promise<void> => {
  for (const [signal, patienceMs] of [
    ['SIGINT', 15_000],
    ['SIGQUIT', 5_000],
  ] as const) {
    process.kill(pid, signal);
    for (const until = performance.now() + patienceMs; performance.now() < until; await sleep(20))
      if (!isAlive(pid)) return;
  }
  throw new Error(`A PostgreSQL of an earlier run (process ${pid}) does not stop.`);
};

/** Whether a process of that number exists, ours or not. */
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

const programOf = async (pid: number): Promise<string> => {
  // /proc/N/exe of a running program that was replaced on disk ends in " (deleted)".
  const linux = await readlink(`/proc/${pid}/exe`).catch(() => undefined);
  if (linux) return basename(linux.replace(/ \(deleted\)$/, ''));
  const { stdout } = await promisify(execFile)('ps', ['-p', String(pid), '-o', 'comm=']).catch(() => ({ stdout: '' }));
  return basename(stdout.trim());
};
