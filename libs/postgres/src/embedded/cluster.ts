import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from './account.js';
import type { Binaries } from './binaries.js';

/** The administrator of the embedded server; applications get roles of their own. */
export const ADMINISTRATOR = 'makuler';

/** The files of one embedded server: `directory/data`, and beside it the administrator's password. */
export interface Cluster {
  readonly data: string;
  readonly password: string;
  /** Made by this call. */
  readonly created: boolean;
}

/**
 * Opens the files, or makes them at first start. `initdb` works in a directory beside, which takes its place only when
 * it is complete: a crash in between leaves nothing that looks like a database.
 */
export const openCluster = async (directory: string, binaries: Binaries, account: Account): Promise<Cluster> => {
  const data = join(directory, 'data');
  const password = await passwordIn(join(directory, 'password'));
  const version = await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (version !== undefined) {
    if (version.trim() !== '18')
      throw new Error(`The database in ${data} is of PostgreSQL ${version.trim()}; this version runs PostgreSQL 18.`);
    return { data, password, created: false };
  }
  const making = join(directory, 'data.new');
  await rm(making, { recursive: true, force: true });
  await give(making, account);
  const passwordFile = join(making, '..', 'password.initdb');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (account.owner) await chown(passwordFile, account.owner.uid, account.owner.gid);
  try {
    await initdb(making, passwordFile, binaries, account);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(making, data);
  return { data, password, created: true };
};

const passwordIn = async (file: string): Promise<string> => {
  const kept = await readFile(file, 'utf8').catch(() => undefined);
  if (kept) return kept.trim();
  const password = randomBytes(32).toString('base64url');
  await writeFile(file, password, { mode: 0o600 });
  return password;
};

const give = async (directory: string, account: Account): Promise<void> => {
  await mkdir(directory, { mode: 0o700 });
  await chmod(directory, 0o700);
  if (account.owner) await chown(directory, account.owner.uid, account.owner.gid);
};

const initdb = (data: string, passwordFile: string, binaries: Binaries, account: Account): Promise<void> =>
  new Promise((resolve, reject) => {
    const parameters = ['-D', data, '-U', ADMINISTRATOR, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
    const child = account.spawn(binaries.initdb, [...parameters, '--encoding=UTF8', '--locale=C', '--data-checksums'], {
      // initdb starts `postgres` through a shell and must not meet settings of another server in the environment.
      env: { PATH: binaries.directory + ':/usr/bin:/bin', LC_ALL: 'C' },
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`initdb failed (${code}): ${said.trim()}`)),
    );
  });
