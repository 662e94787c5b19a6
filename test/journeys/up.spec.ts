import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createPool } from '#postgres';
import { eventually, Installation } from './installation.js';

const CLI = 'dist/apps/cli/src/main.js';

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a `makuler` command to its end. */
const makuler = async (...parameters: string[]): Promise<Ended> =>
  promisify(execFile)(process.execPath, [CLI, ...parameters]).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: Ended) => ({ code, stdout, stderr }),
  );

const runs = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('makuler up, with the real programs', () => {
  let installation: Installation;
  beforeAll(async () => {
    installation = await Installation.create();
    await installation.start();
  }, 60_000);
  afterAll(() => installation.destroy(), 60_000);

  it('says that all is well, and warns of the tokens file and of mirrors on one disk', async () => {
    const { code, stdout } = await eventually(
      () => makuler('status', '--json', '--home', installation.home),
      (said) => said.code === 0,
    );
    const status = JSON.parse(stdout) as {
      running: boolean;
      checks: Record<string, { ready: boolean }>;
      warnings: string[];
    };
    expect(status.running).toBe(true);
    expect(Object.values(status.checks).every(({ ready }) => ready)).toBe(true);
    expect(status.warnings.join('\n')).toMatch(/tokens\.json exists[^]*share a device/);
    expect(code).toBe(0);
  });

  it('says of an API that somebody else started whether all is well there, and of none that nothing answers', async () => {
    const said = (api: string) => makuler('status', '--json', '--api', api, '--home', join(installation.home, 'none'));
    const { code, stdout } = await said(`${installation.url}/`);
    const status = JSON.parse(stdout) as { addresses: object; checks: Record<string, { ready: boolean }> };
    expect(status).toMatchObject({
      running: true,
      addresses: { api: installation.url, docs: `${installation.url}/docs` },
      checks: { api: { ready: true }, vault: { ready: true }, 'event-store': { ready: true } },
    });
    expect(code).toBe(0);
    const none = await said('http://127.0.0.1:1');
    expect([none.code, JSON.parse(none.stdout)]).toEqual([
      1,
      expect.objectContaining({ running: false, checks: { api: { ready: false, because: 'does not answer' } } }),
    ]);
  }, 60_000);

  it('tells analysts an address and where its password is; they see the views there, and nothing of a person', async () => {
    const { stdout } = await makuler('status', '--json', '--home', installation.home);
    const { addresses } = JSON.parse(stdout) as { addresses: { analytics: string } };
    const { analyst } = JSON.parse(await readFile(join(installation.home, 'secrets.json'), 'utf8')) as {
      analyst: string;
    };
    expect(stdout).not.toContain(analyst);
    const url = new URL(addresses.analytics);
    url.password = analyst;
    const pool = createPool(url.href, { name: 'an analyst', max: 1 });
    for (const view of ['sales', 'service', 'customers'])
      expect((await pool.query(`select * from analytics.${view}_by_month`)).rows).toEqual([]);
    for (const table of ['customer_card.customer_card', 'analytics.customers', 'projections.build'])
      await expect(pool.query(`select * from ${table}`)).rejects.toMatchObject({ code: '42501' });
    await pool.end();
  });

  it('makes a token that the API takes, and ends it at once', async () => {
    const made = await makuler(
      'token',
      'create',
      '--role',
      'operator',
      '--label',
      'spec',
      '--json',
      '--home',
      installation.home,
    );
    const { token, tokenId } = JSON.parse(made.stdout) as { token: string; tokenId: string };
    const status = async () =>
      (await installation.get('/v1/projections', { as: 'nobody', headers: { authorization: `Bearer ${token}` } }))
        .status;
    expect(await status()).toBe(200);
    await makuler('token', 'revoke', tokenId, '--home', installation.home);
    expect(await eventually(status, (answer) => answer === 401)).toBe(401);
  });

  it('refuses a second start on the same home, and the first goes on', async () => {
    const { code, stderr } = await makuler('up', '--home', installation.home, '--port', '0');
    expect(code).toBe(1);
    expect(stderr).toContain('Another process is using');
    expect((await installation.get('/health/ready', { as: 'nobody' })).status).toBe(200);
  });

  it('leaves nobody behind when the supervisor alone is killed, and goes on where it was', async () => {
    const before = await installation.pids();
    const { supervisor } = JSON.parse(await readFile(join(installation.home, 'running.json'), 'utf8')) as {
      supervisor: { pid: number };
    };
    process.kill(supervisor.pid, 'SIGKILL');
    await eventually(
      async () => Object.values(before).filter(runs),
      (alive) => alive.length === 0,
    );
    expect((await makuler('status', '--home', installation.home)).code).toBe(1);
    await installation.start();
    expect(installation.output).toContain('did not stop by itself; going on where it was');
    const status = async () => (await makuler('status', '--home', installation.home)).code;
    expect(await eventually(status, (code) => code === 0)).toBe(0);
  }, 60_000);

  it('starts again after everything was killed at once', async () => {
    await installation.killEverything();
    await installation.start();
    const ready = async () => (await installation.get('/health/ready', { as: 'nobody' })).status;
    expect(await eventually(ready, (status) => status === 200)).toBe(200);
  }, 60_000);

  it('stops cleanly: nothing runs, and no lock is left', async () => {
    const before = await installation.pids();
    await installation.stop();
    expect(Object.values(before).filter(runs)).toEqual([]);
    await expect(stat(join(installation.home, 'lock'))).rejects.toThrow('ENOENT');
  }, 60_000);
});

it('names every problem of the configuration at once, and no value', async () => {
  const { code, stderr } = await makuler(
    'up',
    '--port',
    'secret-1',
    '--redis-url',
    'secret-2',
    '--database-url',
    'secret-3',
  );
  expect(code).toBe(1);
  expect(stderr).toMatch(/PORT is not valid[^]*REDIS_URL is not valid[^]*DATABASE_URL is not valid/);
  expect(stderr).not.toContain('secret');
});
