import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Installation, eventually } from './installation.js';

const run = promisify(execFile);
const CLI = 'dist/apps/cli/src/main.js';

/**
 * The thin path through all real parts: registered over HTTP, sealed, in the log, in a row, read back, shredded, gone; and a
 * few seconds later gone from every backup of the keys too.
 */
describe('the first day', () => {
  let makuler: Installation;
  beforeAll(async () => {
    makuler = await Installation.create({ policy: 'policy/webshop' });
    await makuler.start([], { VAULT_EPOCH_WINDOW: '3s' });
  }, 90_000);
  afterAll(() => makuler.destroy());

  it('registers, reads back, erases with four eyes, and nothing is left to read', async () => {
    const registered = await makuler.post(
      '/v1/customers',
      { relationship: 'customer', name: 'Kari Nordmann', email: 'kari@example.no', phone: '90012345' },
      { purpose: 'avtale' },
    );
    expect([registered.status, registered.text]).toEqual([201, expect.any(String)]);
    const { customerId } = registered.body;
    const after = { 'makuler-after': registered.headers.get('makuler-position')! };
    const card = await makuler.get(`/v1/customers/${customerId}`, {
      as: 'compliance',
      purpose: 'rettigheter',
      headers: after,
    });
    expect(card.body).toMatchObject({ customerId, name: 'Kari Nordmann', phone: '+4790012345' });

    const plan = await makuler.post(
      '/v1/erasures',
      { customerId, ground: 'subject-request' },
      { as: 'compliance', purpose: 'rettigheter' },
    );
    expect([plan.status, plan.text]).toEqual([201, expect.any(String)]);
    const { erasureId, planHash } = plan.body;
    const approve = (as: 'compliance' | 'approver') =>
      makuler.post(`/v1/erasures/${erasureId}/approve`, { planHash }, { as, purpose: 'rettigheter' });
    expect((await approve('compliance')).status).toBe(403);
    const approved = await approve('approver');
    expect([approved.status, approved.text]).toEqual([200, expect.any(String)]);
    const executed = await makuler.post(
      `/v1/erasures/${erasureId}/execute`,
      {},
      { as: 'compliance', purpose: 'rettigheter' },
    );
    expect([executed.status, executed.text]).toEqual([202, expect.any(String)]);
    const done = await eventually(
      () => makuler.get(`/v1/erasures/${erasureId}`, { as: 'compliance', purpose: 'rettigheter' }),
      ({ body }) => ['erased', 'certified', 'complete'].includes(body?.state),
    );
    expect(done.body).toMatchObject({ liveErasedAt: expect.any(String), backupsClearedBy: expect.any(String) });
    const gone = await makuler.get(`/v1/customers/${customerId}`, { as: 'compliance', purpose: 'rettigheter' });
    expect(gone.body).toMatchObject({ name: { $state: 'erased' }, phone: { $state: 'erased' } });
    const certificate = await makuler.get(`/v1/erasures/${erasureId}/certificate`, {
      as: 'compliance',
      purpose: 'rettigheter',
    });
    expect(certificate.text).toContain('.');

    const early = await makuler.get(`/v1/erasures/${erasureId}/attestation`, { as: 'auditor' });
    expect([early.status, early.body]).toEqual([
      404,
      expect.objectContaining({ code: 'attestation-not-yet', backupsClearedBy: done.body.backupsClearedBy }),
    ]);
    const sealed = await makuler.post('/v1/vault/epochs', {}, { as: 'operator' });
    expect([sealed.status, sealed.body]).toEqual([201, expect.objectContaining({ epoch: 2, sealed: true })]);
    expect((await makuler.get('/v1/vault/epochs', { as: 'auditor' })).body).toMatchObject({
      ...{ current: 2, retiring: [{ epoch: 1, destroyAt: sealed.body.destroyAt, overdue: false }] },
    });
    const attestation = await eventually(
      () => makuler.get(`/v1/erasures/${erasureId}/attestation`, { as: 'auditor' }),
      ({ status }) => status === 200,
    );
    const { backupsClearedAt } = (await makuler.get(`/v1/erasures/${erasureId}`, { as: 'auditor' })).body;
    expect(Date.parse(backupsClearedAt)).toBeGreaterThanOrEqual(Date.parse(sealed.body.destroyAt));
    expect(Date.parse(backupsClearedAt)).toBeLessThan(Date.parse(done.body.backupsClearedBy));
    expect((await makuler.get('/v1/vault/epochs', { as: 'operator' })).body.retiring).toEqual([]);

    // A seal is preceded by a checkpoint; after the erasure the log is still what it was.
    const log = await run(process.execPath, [CLI, 'verify-log', '--json', '--home', makuler.home]);
    expect(JSON.parse(log.stdout)).toMatchObject({ verified: true, custodian: 'fits', misfits: [] });

    // Whoever was erased keeps three files, and needs nobody to check them.
    const kept = async (name: string, text: string) => {
      const file = join(makuler.directory, name);
      await writeFile(file, text);
      return file;
    };
    const files = [await kept('certificate.json', certificate.text), await kept('attestation.json', attestation.text)];
    const jwks = await kept('jwks.json', (await makuler.get('/.well-known/jwks.json', { as: 'nobody' })).text);
    await makuler.stop();
    const { stdout } = await run(process.execPath, [CLI, 'verify-certificate', ...files, '--jwks', jwks]);
    expect(stdout).toContain('Certificate and attestation belong together.');
    expect(stdout).toContain(`Backups: unreadable since ${backupsClearedAt}`);
  }, 90_000);
});
