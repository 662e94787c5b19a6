import { spawn } from 'node:child_process';
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createPostgresBackend, Queue } from 'bullmq';
import type { ProofReport } from '#proof';
import { eventually, Installation } from '../journeys/installation.js';
import { Erasing } from './erasing.js';
import { administer, sql } from './everything-kept.js';

const VALUES = { name: 'Torbjørg Prøvemerke', email: 'torbjorg.provemerke@example.no', phone: '90098765' };

/** P2 and P8 as their own users see them: before an erasure, after it, and with a leak in each kind of place. */
describe('makuler prove', () => {
  let makuler: Installation;
  let sets: string;
  let customerId: string;
  let erasureId: string;

  beforeAll(async () => {
    makuler = await Installation.create({ policy: 'policy/webshop' });
    sets = join(makuler.directory, 'sets');
    await makuler.start(['--backup-dir', sets], { VAULT_EPOCH_WINDOW: '0' });
    const registered = await makuler.post(
      '/v1/customers',
      { relationship: 'customer', ...VALUES },
      { purpose: 'avtale' },
    );
    expect([registered.status, registered.text]).toEqual([201, expect.any(String)]);
    ({ customerId } = registered.body);
    // Somebody who stays: their keys open to the end.
    const other = { relationship: 'customer', name: 'Ola Nordmann', email: 'ola@example.no', phone: '90012345' };
    expect((await makuler.post('/v1/customers', other, { purpose: 'avtale' })).status).toBe(201);
  }, 90_000);
  afterAll(() => makuler.destroy());

  const command = async (input: string, ...parameters: readonly string[]) => {
    const child = spawn(
      process.execPath,
      ['dist/apps/cli/src/main.js', '--json', '--home', makuler.home, ...parameters],
      { env: { ...process.env, NODE_OPTIONS: '' } },
    );
    child.stdin.end(input);
    const [stdout, stderr, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number | null>((resolve) => child.once('close', resolve)),
    ]);
    return { code, stdout, stderr };
  };
  const prove = async (id: string, ...paths: readonly string[]) => {
    const { code, stdout, stderr } = await command(JSON.stringify(VALUES), 'prove', id, ...paths);
    // No value of the person, in whatever it says.
    for (const value of Object.values(VALUES)) expect(stdout + stderr).not.toContain(value);
    if (stdout === '') throw new Error(stderr);
    return { code, ...(JSON.parse(stdout) as { report: ProofReport; signed: string | null }) };
  };
  /** Kinds of places below the installation in which a value was found: with ids and numbers taken out of the names. */
  const places = ({ valuesFound }: ProofReport) => [
    ...new Set(
      valuesFound.map(({ file }) => file.slice(makuler.directory.length + 1).replace(/[0-9A-F]{24}|\d+/g, 'N')),
    ),
  ];

  it('finds no value and many keys before the erasure, in the home and in a backup set', async () => {
    const taken = await command('', 'backup', sets);
    expect([taken.code, taken.stderr]).toEqual([0, expect.any(String)]);
    const { code, report } = await prove(customerId);
    expect(report).toMatchObject({ namedBy: 'owner', valuesGiven: 3, valuesFound: [], notRead: [], running: true });
    const files = report.keysFound.filter(({ kind }) => kind === 'record').map(({ file }) => file);
    expect(files.some((file) => file.startsWith(sets) && file.endsWith('vault.ndjson.gz'))).toBe(true);
    expect(files.some((file) => file.startsWith(join(makuler.home, 'postgres/data')))).toBe(true);
    const opened = report.keysFound.filter(({ kind }) => kind === 'block').map(({ file }) => file);
    expect(opened.some((file) => file.startsWith(sets) && file.includes('log-'))).toBe(true);
    expect(code).toBe(1);
  }, 60_000);

  it('finds nothing once the keys and their roots are gone, and signs that', async () => {
    ({ erasureId } = await new Erasing(makuler).toTheEnd(customerId));
    expect((await makuler.post('/v1/vault/epochs', {}, { as: 'operator' })).body).toMatchObject({ sealed: true });
    await eventually(
      () => makuler.get(`/v1/erasures/${erasureId}/attestation`, { as: 'auditor' }),
      ({ status }) => status === 200,
    );
    for (const [id, namedBy] of [
      [customerId, 'owner'],
      [erasureId, 'erasure'],
    ] as const) {
      const { code, report, signed } = await prove(id);
      expect(report).toMatchObject({
        namedBy,
        valuesFound: [],
        keysFound: [],
        notRead: [],
        clean: true,
        complete: true,
      });
      expect(report.paths).toEqual(expect.arrayContaining([makuler.home, expect.stringContaining(sets)]));
      expect(report.read.keys.records).toBeGreaterThan(0);
      expect(code).toBe(0);
      const file = join(makuler.directory, 'proof.jws');
      await writeFile(file, signed!);
      const verified = await command('', 'verify-proof', file);
      expect([verified.code, JSON.parse(verified.stdout)]).toEqual([0, { valid: true, report }]);
      await writeFile(file, altered(signed!));
      const refused = await command('', 'verify-proof', file);
      expect([refused.code, refused.stdout, refused.stderr]).toEqual([
        1,
        '',
        expect.stringContaining('ERR_JWS_SIGNATURE_VERIFICATION_FAILED'),
      ]);
    }
  }, 90_000);

  describe('finds a leak', () => {
    let report: ProofReport;
    let code: number | null;
    let temporary: string;
    beforeAll(async () => {
      const data = join(makuler.home, 'postgres/data');
      await mkdir(join(data, 'base/pgsql_tmp'), { recursive: true });
      temporary = join(data, 'base/pgsql_tmp/pgsql_tmp4711.0');
      await writeFile(temporary, Buffer.concat([Buffer.alloc(5_000, 7), Buffer.from(VALUES.name, 'utf16le')]));
      const archive = join(makuler.home, 'logs/api.log.1.gz');
      await writeFile(archive, gzipSync(`${'{"level":30}\n'.repeat(500)}{"level":50,"email":"${VALUES.email}"}\n`));
      await appendFile(join(makuler.home, 'logs/api.log'), `{"level":50,"q":"${encodeURIComponent(VALUES.name)}"}\n`);
      const backend = await administer(makuler, 'readmodels');
      await backend.query('set search_path = bullmq');
      const pool = await administer(makuler, 'readmodels');
      const queue = new Queue(
        'leak',
        { connection: { connectionString: pool.options.connectionString!, options: '-c search_path=bullmq' } as never },
        createPostgresBackend as never,
      );
      await queue.add('leak', { phone: VALUES.phone });
      await queue.close();
      await Promise.all([pool.end(), backend.end()]);
      await sql(makuler, 'control', 'create table note (text text)');
      await sql(makuler, 'control', 'insert into note values ($1)', [`${'and so on '.repeat(500)}${VALUES.email}`]);
      await sql(makuler, 'postgres', 'checkpoint');
      ({ code, report } = await prove(customerId));
    }, 90_000);
    afterAll(() => rm(temporary));

    it.each([
      ['in a temporary file', 'home/postgres/data/base/pgsql_tmp/pgsql_tmpN.N', 1, ''],
      ['in the write-ahead log', 'home/postgres/data/pg_wal/N', 3, 'write-ahead log'],
      ['in a row of a queue', 'home/postgres/data/base/N/N', 3, ''],
      ['in a compressed column', 'home/postgres/data/base/N/N', 2, 'pglz'],
      ['in what the write-ahead log has of that column', 'home/postgres/data/pg_wal/N', 2, 'write-ahead log, pglz'],
      ['in a gzip archive', 'home/logs/api.log.N.gz', 2, 'gzip'],
      ['in a line of a log', 'home/logs/api.log', 1, ''],
    ])('%s', (_, place, value, layers) => {
      const found = report.valuesFound.filter(
        (one) => one.value === value && one.layers.replace(/ at \d+/g, '') === layers,
      );
      expect(places({ ...report, valuesFound: found })).toContain(place);
    });

    it('and says so with its exit status, and of keys that there are none', () => {
      expect(code).toBe(1);
      expect(report.keysFound).toEqual([]);
    });
  });

  it('searches any path, with nothing running, and says what it then cannot know', async () => {
    await makuler.stop();
    const { code, report, signed } = await prove(customerId, join(makuler.home, 'logs'));
    expect([code, signed]).toEqual([1, null]);
    expect(places(report)).toEqual(['home/logs/api.log', 'home/logs/api.log.N.gz']);
    const all = await prove(customerId);
    expect(all.report.notRead).toEqual([expect.objectContaining({ file: 'backup sets' })]);
    expect(await readFile(join(makuler.home, 'logs/api.log'), 'utf8')).toContain(encodeURIComponent(VALUES.name));
  }, 60_000);
});

/** A report that says something else, under the same signature. */
const altered = (jws: string): string => {
  const [header, payload, signature] = jws.split('.');
  const report = JSON.parse(Buffer.from(payload!, 'base64url').toString()) as ProofReport;
  return [
    header,
    Buffer.from(JSON.stringify({ ...report, clean: !report.clean })).toString('base64url'),
    signature,
  ].join('.');
};
