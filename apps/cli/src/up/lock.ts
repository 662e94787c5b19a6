import { link, open, readFile, rename, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '../refusal.js';
import { readJson, writePrivate } from './files.js';
import type { Home } from './home.js';
import { markOf, stillRuns } from './processes.js';
import type { ProcessMark } from './processes.js';

/** What runs of this home: for `makuler status`, and for the next start after a crash. */
export interface Running {
  readonly supervisor: ProcessMark;
  readonly since: string;
  readonly children: Readonly<Record<string, ProcessMark>>;
  readonly addresses: Readonly<Record<string, string>>;
  /** Mirrors of the custodian. */
  readonly custodian: readonly string[];
}

export interface HomeLock {
  /** Words about what a crashed run had left, to be shown. */
  readonly leftover: readonly string[];
  release(): Promise<void>;
}

/**
 * Takes the home for this process. Refuses while another supervisor lives; after a crash, waits for children of the dead
 * one (they end by themselves when they lose it) and kills those that don't.
 */
export const lockHome = async (home: Home): Promise<HomeLock> => {
  const me = await markOf(process.pid);
  if (!me) throw new Error('the process table cannot be read');
  while (!(await create(home.lock, me))) await removeIfStale(home);
  const leftover = await endOrphans(home);
  return {
    leftover,
    release: async () => {
      await rm(home.running, { force: true });
      await rm(home.lock, { force: true });
    },
  };
};

const create = async (file: string, me: ProcessMark): Promise<boolean> => {
  // Written beside and linked into place: nobody ever reads a lock that is half written, and only one link can succeed.
  const beside = `${file}.${process.pid}`;
  const handle = await open(beside, 'w', 0o600);
  await handle.writeFile(JSON.stringify(me)).finally(() => handle.close());
  try {
    await link(beside, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(beside, { force: true });
  }
};

const removeIfStale = async (home: Home): Promise<void> => {
  const seen = await readFile(home.lock, 'utf8').catch(() => undefined);
  if (seen === undefined) return;
  const holder = JSON.parse(seen) as ProcessMark;
  if (await stillRuns(holder))
    throw new Refusal(
      `Another process is using ${home.directory} (process ${holder.pid}).`,
      'Stop it first, look at it with `makuler status`, or start a second installation with another --home and --port.',
    );
  // Two starts may find the same stale lock. Each moves away what it finds; the one that moved a fresh lock puts it back.
  const aside = `${home.lock}.stale.${process.pid}`;
  const moved = await rename(home.lock, aside).then(
    () => true,
    () => false,
  );
  if (moved && (await readFile(aside, 'utf8')) !== seen) await link(aside, home.lock).catch(() => undefined);
  await rm(aside, { force: true });
};

const PATIENCE_MS = 7_000;

const endOrphans = async (home: Home): Promise<string[]> => {
  const before = await readJson<Running>(home.running).catch(() => undefined);
  const words: string[] = [];
  for (const [name, mark] of Object.entries(before?.children ?? {})) {
    for (const until = performance.now() + PATIENCE_MS; await stillRuns(mark); await sleep(50)) {
      if (performance.now() < until) continue;
      process.kill(mark.pid, 'SIGKILL');
      words.push(`${name} of an earlier run (process ${mark.pid}) was still there and was ended`);
      break;
    }
  }
  if (before) words.unshift(`the run of ${before.since} did not stop by itself; going on where it was`);
  return words;
};

/** Writes down what runs now. */
export const writeRunning = (home: Home, running: Running): Promise<void> => writePrivate(home.running, running);

/** What runs of this home, or undefined when nobody holds it. */
export const readRunning = async (home: Home): Promise<Running | undefined> => {
  const running = await readJson<Running>(home.running);
  return running && (await stillRuns(running.supervisor)) ? running : undefined;
};
