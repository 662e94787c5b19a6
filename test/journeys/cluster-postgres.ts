import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createPool } from '#postgres';
import type { Account } from '#postgres/embedded';
import { accountFor } from '#postgres/embedded';
import { eventually } from './installation.js';

const DEBIAN = '/usr/lib/postgresql';

/** The newest of Debian's PostgreSQL on this machine (package `postgresql`; `.ci/run` installs it), if there is one. */
export const debianPostgres = (): string | undefined => {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN) : [];
  return versions
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(DEBIAN, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'postgres')) && existsSync(join(bin, 'initdb')));
};

export interface ServerSpec {
  readonly bin: string;
  readonly directory: string;
  readonly port: number;
  readonly password: string;
}

/** A PostgreSQL server of Debian's, as its administrators start and restart it: with the settings that it comes with. */
export class PostgresServer {
  #server: ChildProcess | undefined;
  #said = '';

  private constructor(
    private readonly spec: ServerSpec,
    private readonly account: Account,
  ) {}

  /** Makes the files of a new server, and starts it. */
  static async make(spec: ServerSpec): Promise<PostgresServer> {
    const { bin, directory, password } = spec;
    await mkdir(directory);
    const account = await accountFor([join(bin, 'postgres'), directory]);
    const passwordFile = join(directory, 'password');
    await writeFile(passwordFile, password, { mode: 0o600 });
    for (const path of [directory, passwordFile])
      if (account.owner) await chown(path, account.owner.uid, account.owner.gid);
    await chmod(directory, 0o700);
    const server = new PostgresServer(spec, account);
    const flags = ['-D', join(directory, 'data'), '-U', 'postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
    await server.#run('initdb', [...flags, '--encoding=UTF8', '--locale=C', '--no-sync']);
    await rm(passwordFile);
    await server.start();
    return server;
  }

  /** The address of a database, for a role or for the administrator. */
  url(database: string, { name, password }: { name: string; password: string } = this.#administrator): string {
    return `postgres://${name}:${password}@127.0.0.1:${this.spec.port}/${database}`;
  }

  async start(): Promise<void> {
    const { bin, directory, port } = this.spec;
    const flags = ['-D', join(directory, 'data'), '-p', String(port), '-c', 'unix_socket_directories='];
    const server = this.account.spawn(join(bin, 'postgres'), flags, {
      ...{ cwd: '/', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }, stdio: ['ignore', 'pipe', 'pipe'] },
    });
    this.#server = server;
    this.#listen(server);
    const pool = createPool(this.url('postgres'), { name: 'a test', max: 1 });
    await eventually(
      () => pool.query('select 1'),
      () => true,
    ).finally(() => pool.end());
  }

  /** SIGINT: sessions are ended and all is written. SIGQUIT: at once, as after a power failure; the next start recovers. */
  async stop(signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
    const server = this.#server;
    if (!server || server.exitCode !== null) return;
    const ended = once(server, 'exit');
    server.kill(signal);
    await ended;
  }

  get #administrator() {
    return { name: 'postgres', password: this.spec.password };
  }

  async #run(program: string, flags: readonly string[]): Promise<void> {
    const child = this.account.spawn(join(this.spec.bin, program), flags, {
      ...{ cwd: '/', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' }, stdio: ['ignore', 'pipe', 'pipe'] },
    });
    this.#listen(child);
    const [code] = (await once(child, 'close')) as [number];
    if (code !== 0) throw new Error(`${program} failed (${code}): ${this.#said}`);
  }

  #listen(child: ChildProcess): void {
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (chunk: Buffer) => (this.#said = (this.#said + chunk.toString()).slice(-4_000)));
  }
}
