import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Refusal } from '../refusal.js';
import { defaultCustodian, homeIn } from './home.js';
import { readRunning } from './lock.js';
import type { App, SystemOptions } from './options.js';
import { stillRuns } from './processes.js';
import type { Steps } from './steps.js';
import { System } from './system.js';

/** Stands in for an app: ready at once, ends when told. What it was given stands in its environment. */
const childSaying = (said: object) => `
const said = ${JSON.stringify(said)};
process.stdout.write('a line that is no ready line\\n' + JSON.stringify({ event: 'ready', ...said }) + '\\n');
const work = setInterval(() => undefined, 1000);
process.once('SIGTERM', () => { clearInterval(work); process.channel?.unref(); });
`;
const FAILING = `process.stderr.write('VAULT_PORT is not valid: give a port\\n'); process.exit(1);`;

/** Collects what the supervisor says, and lets a test wait for a line. */
class Heard implements Steps {
  readonly lines: string[] = [];
  #waiting: (() => void)[] = [];
  done = (what: string, detail: string) => this.#hear(`${what} ${detail}`);
  warn = (text: string) => this.#hear(text);
  ready = () => undefined;
  #hear(line: string): void {
    this.lines.push(line);
    for (const wake of this.#waiting.splice(0)) wake();
  }
  async until(line: string): Promise<void> {
    while (!this.lines.some((heard) => heard.includes(line)))
      await new Promise<void>((wake) => this.#waiting.push(wake));
  }
}

describe('the supervisor', () => {
  let directory: string;
  const systems: System[] = [];
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'makuler-up-'));
    await chmod(directory, 0o711);
    await writeFile(join(directory, 'child.mjs'), childSaying({}));
    const closed = { gate: 'stale', why: 'It is an older copy.', wayOut: 'Restore a newer one.' };
    await writeFile(join(directory, 'closed.mjs'), childSaying(closed));
    await writeFile(join(directory, 'failing.mjs'), FAILING);
    const lifecycle = resolve('libs/observability/src/lifecycle.ts');
    await writeFile(join(directory, 'preload.mjs'), `import { exitWithParent } from '${lifecycle}'; exitWithParent();`);
  });
  afterAll(async () => {
    await Promise.all(systems.map((system) => system.stop()));
    await rm(directory, { recursive: true, force: true });
  });

  const make = (name: string, change: Partial<SystemOptions> = {}) => {
    const home = homeIn(join(directory, name));
    const heard = new Heard();
    const options: SystemOptions = {
      home,
      host: '127.0.0.1',
      port: 0,
      policy: 'policy/jpi',
      custodian: defaultCustodian(home),
      baseEnv: {},
      scriptOf: () => join(directory, 'child.mjs'),
      preload: join(directory, 'preload.mjs'),
      ...change,
    };
    const system = new System(options, heard);
    systems.push(system);
    return { system, home, heard, options };
  };
  const markOf = async (home: ReturnType<typeof homeIn>, name: string) => (await readRunning(home))!.children[name]!;

  describe('with a home of its own', () => {
    let first: ReturnType<typeof make>;
    beforeAll(async () => {
      first = make('first');
      await first.system.start();
    });

    it('makes keys, passwords and tokens that only their owner can read', async () => {
      const { home, options } = first;
      for (const file of [
        home.secrets,
        home.tokens,
        join(home.postgres, 'password'),
        join(home.certificates, 'ca.key'),
      ])
        expect((await stat(file)).mode & 0o077).toBe(0);
      for (const mirror of options.custodian) {
        expect((await stat(mirror)).mode & 0o077).toBe(0);
        expect(mirror.startsWith(`${home.directory}/`)).toBe(false);
      }
      expect(Object.keys(JSON.parse(await readFile(home.tokens, 'utf8')) as object)).toHaveLength(7);
    });

    it('gives each program its own secrets only, and none on a command line', async () => {
      const secrets = JSON.parse(await readFile(first.home.secrets, 'utf8')) as Record<string, string>;
      const { children } = (await readRunning(first.home))!;
      const seen: Record<string, string[]> = {};
      for (const [name, { pid }] of Object.entries(children)) {
        const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
        const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8');
        seen[name] = Object.keys(secrets).filter((secret) => environment.includes(secrets[secret]!));
        for (const secret of Object.values(secrets)) expect(commandLine).not.toContain(secret);
      }
      const client = ['control', 'eventNode', 'readmodels'];
      expect(Object.fromEntries(Object.entries(seen).map(([name, names]) => [name, names.sort()]))).toEqual({
        postgres: [],
        'event-node': ['eventNode', 'events'],
        // It asks the log before it serves anything.
        vault: ['eventNode', 'vault'],
        api: client,
        projector: client,
        worker: client,
      });
    });

    it.each(['vault', 'postgres'])('starts %s again after kill -9, and says so', async (name) => {
      const before = await markOf(first.home, name);
      process.kill(before.pid, 'SIGKILL');
      await first.heard.until(`${name} ended (SIGKILL); starting it again`);
      await first.heard.until(`${name} is back`);
      const after = await markOf(first.home, name);
      expect(after.pid).not.toBe(before.pid);
      expect(await stillRuns(after)).toBe(true);
    });

    it('refuses a second start on the same home, and leaves the first alone', async () => {
      const second = make('first');
      await expect(second.system.start()).rejects.toThrow(/Another process is using .*first/);
      await second.system.stop();
      expect(await stillRuns(await markOf(first.home, 'api'))).toBe(true);
    });

    it('runs beside another installation', async () => {
      const second = make('second');
      await second.system.start();
      const secret = async ({ home }: typeof first) =>
        (JSON.parse(await readFile(home.secrets, 'utf8')) as { vault: string }).vault;
      expect(await secret(second)).not.toBe(await secret(first));
      await second.system.stop();
    });

    it('stops in reverse order, leaves nobody behind, and starts again on what was there', async () => {
      const { children } = (await readRunning(first.home))!;
      await first.system.stop();
      const stopped = first.heard.lines.filter((line) => line.endsWith(' stopped')).map((line) => line.split(' ')[0]!);
      expect(stopped.slice(0, 3).sort()).toEqual(['api', 'projector', 'worker']);
      expect(stopped.slice(3, 5).sort()).toEqual(['event-node', 'vault']);
      expect(stopped.slice(5)).toEqual(['postgres']);
      for (const mark of Object.values(children)) expect(await stillRuns(mark)).toBe(false);

      const tokens = await readFile(first.home.tokens, 'utf8');
      const again = make('first');
      await again.system.start();
      expect(await readFile(again.home.tokens, 'utf8')).toBe(tokens);
      expect(again.heard.lines.some((line) => line.includes('(new)'))).toBe(false);
      await again.system.stop();
      expect((await readdir(again.home.directory)).filter((name) => /lock|running|\.new$/.test(name))).toEqual([]);
    });
  });

  it('says when the port is taken, before anything is started', async () => {
    const server = createServer();
    const port = await new Promise<number>((listening) =>
      server.listen(0, '127.0.0.1', () => listening((server.address() as { port: number }).port)),
    );
    const { system, heard } = make('third', { port });
    await expect(system.start()).rejects.toThrow(`Port ${port} on 127.0.0.1 is taken`);
    expect(heard.lines.join()).not.toContain('postgres');
    server.close();
    await system.stop();
  });

  it('refuses the custodian of another installation', async () => {
    const { home } = make('second');
    const stranger = make('fourth', { custodian: defaultCustodian(home) });
    await expect(stranger.system.start()).rejects.toThrow('belongs to another installation');
  });

  it('shows the end of the log of what did not start, and stops the rest', async () => {
    const scriptOf = (app: App) => join(directory, app === 'vault' ? 'failing.mjs' : 'child.mjs');
    const { system, home } = make('second', { scriptOf });
    const refusal: unknown = await system.start().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Refusal);
    expect((refusal as Refusal).message).toBe('vault did not start: it ended with code 1.');
    expect((refusal as Refusal).wayOut).toContain('VAULT_PORT is not valid');
    const { children } = (await readRunning(home))!;
    await system.stop();
    for (const mark of Object.values(children)) expect(await stillRuns(mark)).toBe(false);
  });

  it('comes up beside a vault whose gate is closed, and says what was found and what to do', async () => {
    const scriptOf = (app: App) => join(directory, app === 'vault' ? 'closed.mjs' : 'child.mjs');
    const { system, home, heard } = make('sixth', { scriptOf });
    await system.start();
    expect(heard.lines).toContain("The vault's gate is closed (stale): It is an older copy.");
    expect(heard.lines).toContain('Restore a newer one.');
    expect(Object.keys((await readRunning(home))!.children)).toContain('api');
    await system.stop();
  });

  it('can be stopped while it starts', async () => {
    const { system, home } = make('fifth');
    const starting = system.start().catch((error: unknown) => error);
    await system.stop();
    expect(await starting).toBeInstanceOf(Refusal);
    expect((await readdir(home.directory)).filter((name) => /lock|running/.test(name))).toEqual([]);
  });
});
