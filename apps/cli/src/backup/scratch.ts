import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'makuler-drill-';
const NAME = new RegExp(`^${PREFIX}(\\d+)-`);

/** A new directory for a drill. What drills left there that were killed is removed: the process that made it stands in its name. */
export const makeScratch = async (parent = tmpdir()): Promise<string> => {
  for (const name of await readdir(parent)) {
    const pid = Number(NAME.exec(name)?.[1]);
    // One of somebody else's can't be removed, and stays.
    if (pid && !isAlive(pid))
      await rm(join(parent, name), { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined);
  }
  return mkdtemp(join(parent, `${PREFIX}${process.pid}-`));
};

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
};
