import { execFile, spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

interface User {
  readonly uid: number;
  readonly gid: number;
}

/** As whom PostgreSQL runs: ourselves, or, because it refuses to run as root, the user `postgres`. */
export interface Account {
  /** To whom its files must be given; absent when that is ourselves. */
  readonly owner?: User;
  spawn(program: string, parameters: readonly string[], options: SpawnOptions): ChildProcess;
}

/**
 * Finds the account, and makes the user `postgres` when root has none. `paths` are the directories that it must reach;
 * when one lies below a directory closed to it (a clone in /root), it is given the right to pass, and nothing more.
 */
export const accountFor = async (paths: readonly string[]): Promise<Account> => {
  if (process.getuid?.() !== 0) return { spawn };
  const user = await userPostgres();
  for (const path of paths) {
    const closed = await closedDirectoryAbove(path, user);
    if (closed) return withPassage(user, closed);
  }
  return { owner: user, spawn: (program, parameters, options) => spawn(program, parameters, { ...options, ...user }) };
};

const userPostgres = async (): Promise<User> => {
  const lookUp = async () => {
    const [uid, gid] = await Promise.all([run('id', ['-u', 'postgres']), run('id', ['-g', 'postgres'])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  };
  try {
    return await lookUp();
  } catch {
    await run('useradd', [
      '--system',
      '--user-group',
      '--no-create-home',
      '--shell',
      '/usr/sbin/nologin',
      'postgres',
    ]).catch((cause: unknown) => {
      throw new Error(
        'PostgreSQL refuses to run as root, and the user `postgres` could not be made. Start Makuler as another user.',
        { cause },
      );
    });
    return lookUp();
  }
};

/** The first directory above `path` through which the user cannot pass. */
const closedDirectoryAbove = async (path: string, user: User): Promise<string | undefined> => {
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    const { mode, uid, gid } = await stat(directory);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return directory;
    if (directory === dirname(directory)) return undefined;
  }
};

/** Linux capabilities by number; the first lets a process read and pass, the second (all that a container has) write too. */
const PASSAGE = [
  [2n, 'dac_read_search'],
  [1n, 'dac_override'],
] as const;

const withPassage = async (user: User, closed: string): Promise<Account> => {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const held = BigInt(`0x${/^CapPrm:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const capability = PASSAGE.find(([bit]) => (held >> bit) & 1n)?.[1];
  const setpriv = await run('setpriv', ['--version']).then(
    () => true,
    () => false,
  );
  if (!capability || !setpriv)
    throw new Error(
      `PostgreSQL runs as the user \`postgres\`, which cannot pass through ${closed}. ` +
        'Choose another place (MAKULER_HOME), or start Makuler as a user other than root.',
    );
  const sets = ['--inh-caps', '--ambient-caps', '--bounding-set'].map((set) => `${set}=-all,+${capability}`);
  const privileges = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', ...sets];
  // The ids are taken by setpriv, not by spawn: capabilities do not survive a change of user without it.
  return {
    owner: user,
    spawn: (program, parameters, options) => spawn('setpriv', [...privileges, program, ...parameters], options),
  };
};
