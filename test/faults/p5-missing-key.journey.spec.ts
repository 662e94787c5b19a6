import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startEmbedded } from '#postgres/embedded';
import type { Installation } from '../journeys/installation.js';
import { eventually } from '../journeys/installation.js';
import { sql } from './everything-kept.js';
import { readModels } from './read-models.js';
import type { Witness } from './witnesses.js';
import { OUTAGE_CODES, Witnesses, rights } from './witnesses.js';

const STOPPED = 'deleted while it is stopped';

/** P5: a key that is missing, damaged, or can't be unlocked is no erased one, wherever in the vault it went astray. */
describe('a key that can’t be had is no erased one (P5)', () => {
  let witnesses: Witnesses;
  let makuler: Installation;
  beforeAll(async () => {
    witnesses = await Witnesses.start();
    ({ makuler } = witnesses);
  }, 120_000);
  afterAll(() => makuler.destroy());

  /** Every key of a person, as rows to be put back. */
  const scopesOf = async ({ customerId }: Witness): Promise<string[]> => {
    const events = await sql(makuler, 'events', 'select convert_from(data, $1) as data from event where stream = $2', [
      'UTF8',
      `customer-${customerId}`,
    ]);
    return events.flatMap(({ data }) => Object.keys((JSON.parse(data) as { $sealed?: object }).$sealed ?? {}));
  };

  it.each(['deleted while it runs', STOPPED, 'damaged while it runs'])(
    'when rows of the keys were %s',
    async (when) => {
      await witnesses.settled();
      const before = await readModels(makuler);
      const person = witnesses.people[1]!;
      const scopes = await scopesOf(person);
      expect(scopes.length).toBeGreaterThan(0);
      const rows = await sql(makuler, 'vault', 'select * from scope where scope_id = any($1)', [scopes]);
      expect(rows.length).toBe(new Set(scopes).size);
      if (when === STOPPED) await makuler.stop();
      await inVault(when, async (run) =>
        run(
          when.startsWith('deleted')
            ? 'delete from scope where scope_id = any($1)'
            : `update scope set sealed = sha512(sealed) where scope_id = any($1)`,
          [scopes],
        ),
      );
      if (when === STOPPED) await makuler.start();
      // Whoever had the keys in memory has them no more.
      else for (const part of ['api', 'projector'] as const) await makuler.signal(part, 'SIGKILL');
      await eventually(
        () => makuler.get('/health/live', { as: 'nobody' }),
        ({ status }) => status === 200,
      );
      const card = await eventually(
        () => makuler.get(`/v1/customers/${person.customerId}`, rights),
        ({ status }) => status >= 500,
      );
      expect([card.status, OUTAGE_CODES]).toEqual([503, expect.arrayContaining([card.body.code])]);
      expect(card.text).not.toContain('$state');
      await makuler.post('/v1/projections/customer_card/rebuild', {}, { as: 'operator' });
      await eventually(
        () => witnesses.states(),
        (items) => items?.some(({ name, rebuild }) => name === 'customer_card' && rebuild?.state === 'failed'),
      );
      expect((await readModels(makuler))['customer_card.customer_card']).toEqual(before['customer_card.customer_card']);
      const whole = await makuler.get(`/v1/customers/${witnesses.people[0]!.customerId}`, rights);
      expect([whole.status, whole.body.name]).toEqual([200, witnesses.people[0]!.name]);
      for (const { scope_id, bucket_id, state, identity, sealed } of rows)
        await sql(
          makuler,
          'vault',
          `insert into scope (scope_id, bucket_id, state, identity, sealed) values ($1, $2, $3, $4, $5)
         on conflict (scope_id) do update set sealed = excluded.sealed`,
          [scope_id, bucket_id, state, identity, sealed],
        );
      await witnesses.expectAllBack(before);
    },
    110_000,
  );

  const inVault = async (
    when: string,
    work: (run: (text: string, values: unknown[]) => Promise<unknown>) => Promise<unknown>,
  ) => {
    const run = (text: string, values: unknown[]) => sql(makuler, 'vault', text, values);
    if (when !== STOPPED) return work(run);
    const server = await startEmbedded({
      directory: join(makuler.home, 'postgres'),
      logFile: join(makuler.directory, 'postgres.log'),
    });
    return work(run).finally(() => server.stop());
  };

  it('while the custodian is away: an erasure waits for it, and is neither lost nor half done', async () => {
    const person = await witnesses.take({ repair: false });
    await witnesses.settled();
    const before = await readModels(makuler);
    witnesses.people.pop();
    await rename(makuler.custodian, `${makuler.custodian}.away`);
    const erasing = witnesses.erase(person).catch((error: Error) => error);
    try {
      await eventually(
        () => makuler.get('/v1/erasures', rights),
        ({ body }) => body?.items?.some(({ retrying }: { retrying: object[] }) => retrying.length > 0),
      );
      for (const one of [person, ...witnesses.people]) await witnesses.expectHonest(one);
      await expect(stat(makuler.custodian)).rejects.toMatchObject({ code: 'ENOENT' });
    } finally {
      await rename(`${makuler.custodian}.away`, makuler.custodian);
    }
    expect(await erasing).toBeUndefined();
    const gone = await makuler.get(`/v1/customers/${person.customerId}`, rights);
    expect(gone.body).toMatchObject({ name: { $state: 'erased' } });
    await witnesses.settled();
    const others = (rows: readonly string[] = []) =>
      rows.filter((row) => witnesses.people.some(({ customerId }) => row.includes(customerId)));
    const after = await readModels(makuler);
    for (const [table, rows] of Object.entries(before)) expect(others(after[table])).toEqual(others(rows));
  }, 110_000);

  /** `makuler custodian …` with the tokens of the home; its exit status, and what it prints as JSON. */
  const custodian = async (...parameters: readonly string[]): Promise<readonly [code: number, value: any]> => {
    const words = ['dist/apps/cli/src/main.js', 'custodian', ...parameters, '--json', '--home', makuler.home];
    const { code, stdout } = await promisify(execFile)(process.execPath, words).then(
      (done) => ({ code: 0, ...done }),
      (error: { code: number; stdout: string }) => error,
    );
    return [code, stdout === '' ? undefined : JSON.parse(stdout)];
  };

  it('when the custodian’s roots are another’s, or it is gone: nothing is served, and no new one is made', async () => {
    await witnesses.settled();
    const before = await readModels(makuler);
    await makuler.stop();
    const roots = ['a', 'b'].map((mirror) => join(makuler.custodian, mirror, 'root-1.key'));
    const right = await Promise.all(roots.map((file) => readFile(file)));
    for (const [n, file] of roots.entries()) await writeFile(file, strangerOf(right[n]!));
    await expect(makuler.start()).rejects.toThrow(/root/);
    for (const [n, file] of roots.entries()) await writeFile(file, right[n]!);
    await rename(makuler.custodian, `${makuler.custodian}.away`);
    // It comes up, because somebody must be able to act; of nobody anything can be read.
    await makuler.start();
    for (const person of witnesses.people)
      expect(new Set(await witnesses.expectHonest(person))).toEqual(new Set([503]));
    await expect(stat(makuler.custodian)).rejects.toMatchObject({ code: 'ENOENT' });
    await makuler.stop();
    await rename(`${makuler.custodian}.away`, makuler.custodian);
    // One mirror is enough; the other one's place stays empty until it is back.
    const b = join(makuler.custodian, 'b');
    await rename(b, `${b}.away`);
    await makuler.start();
    await witnesses.expectAllBack(before);
    await expect(stat(b)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await custodian('status')).toEqual([
      1,
      expect.arrayContaining([expect.objectContaining({ name: b, standing: 'away', reason: 'missing' })]),
    ]);
    await rename(`${b}.away`, b);
    await eventually(
      () => custodian('status'),
      ([code]) => code === 0,
    );
    const [, { mirrorId }] = await custodian('add', join(makuler.directory, 'third'), '--yes');
    expect(await custodian('repair', mirrorId, '--yes')).toEqual([0, { mirrorId }]);
    expect(await custodian('retire', mirrorId, '--yes')).toEqual([0, { mirrorId, state: 'retired' }]);
    expect((await custodian('status'))[1]).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: b, standing: 'present' })]),
    );
  }, 150_000);
});

/** A root of another installation: same form, other 32 bytes. */
const strangerOf = (root: Buffer): Buffer => Buffer.concat([root.subarray(0, -32), randomBytes(32)]);
