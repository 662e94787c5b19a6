import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isGone, valueOf } from '#client';
import { logLines } from '#testing';
import { Installation, eventually } from './installation.js';
import type { Order } from './web-shop.js';
import { changeEmail, storeOrder, wrongFields } from './web-shop.js';

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

  const order: Order = {
    ...{ number: '1001', paidAt: '2026-03-10T09:30:00Z' },
    buyer: { name: 'Kari Nordmann', email: 'kari@example.no', phone: '90012345' },
    lines: [{ kind: 'product', itemType: 'bearing', description: 'Kulelager', quantity: '4', unitPrice: '129.50' }],
  };

  it('registers, reads back, erases with four eyes, and nothing is left to read', async () => {
    const shop = makuler.client('integrator', 'avtale');
    const { customerId, purchaseId, position: after } = await storeOrder(shop, order);
    expect(await storeOrder(shop, order)).toMatchObject({ customerId, purchaseId });
    const wrong = await storeOrder(shop, { ...order, number: '1002', buyer: { name: '' } }).catch(wrongFields);
    expect(wrong).toContainEqual(expect.stringMatching(/^name: /));

    const compliance = makuler.client('compliance', 'rettigheter');
    const path = { id: customerId };
    const card = (await compliance.get('/v1/customers/{id}', { path, after })).body;
    expect(card).toMatchObject({ customerId, name: 'Kari Nordmann', phone: '+4790012345' });
    const moved = await changeEmail(shop, customerId, 'kari.nordmann@example.no');
    const changed = (await compliance.get('/v1/customers/{id}', { path, after: moved.position })).body;
    expect(valueOf(changed.email)).toBe('kari.nordmann@example.no');

    const body = { customerId, ground: 'subject-request' };
    const { erasureId, planHash } = (await compliance.post('/v1/erasures', { body })).body;
    const erasure = { id: erasureId };
    const approve = (role: 'compliance' | 'approver') =>
      makuler.client(role).post('/v1/erasures/{id}/approve', { path: erasure, body: { planHash } });
    await expect(approve('compliance')).rejects.toMatchObject({ status: 403, code: 'forbidden' });
    expect((await approve('approver')).body).toMatchObject({ erasureId, state: 'approved' });
    expect((await compliance.post('/v1/erasures/{id}/execute', { path: erasure })).status).toBe(202);
    const auditor = makuler.client('auditor');
    const board = async () => (await auditor.get('/v1/erasures/{id}', { path: erasure })).body;
    const done = await eventually(board, ({ state }) => state === 'erased');
    expect(done).toMatchObject({ liveErasedAt: expect.any(String), backupsClearedBy: expect.any(String) });
    const gone = (await compliance.get('/v1/customers/{id}', { path })).body;
    expect(gone).toMatchObject({ name: { $state: 'erased' }, phone: { $state: 'erased' } });
    expect(isGone(gone.email)).toBe(true);
    const certificate = (await auditor.get('/v1/erasures/{id}/certificate', { path: erasure })).body;

    const early = await auditor
      .get('/v1/erasures/{id}/attestation', { path: erasure })
      .catch((error: unknown) => error);
    expect(early).toMatchObject({
      ...{ status: 404, code: 'attestation-not-yet' },
      document: expect.objectContaining({ backupsClearedBy: done.backupsClearedBy }),
    });
    const operator = makuler.client('operator');
    const sealed = (await operator.post('/v1/vault/epochs', { body: {} })).body;
    expect(sealed).toMatchObject({ epoch: 2, sealed: true });
    expect((await auditor.get('/v1/vault/epochs')).body).toMatchObject({
      ...{ current: 2, retiring: [{ epoch: 1, destroyAt: sealed.destroyAt, overdue: false }] },
    });
    const attestation = await eventually(
      async () => (await auditor.get('/v1/erasures/{id}/attestation', { path: erasure })).body,
      () => true,
    );
    const backupsClearedAt = (await board()).backupsClearedAt!;
    expect(Date.parse(backupsClearedAt)).toBeGreaterThanOrEqual(Date.parse(sealed.destroyAt!));
    expect(Date.parse(backupsClearedAt)).toBeLessThan(Date.parse(done.backupsClearedBy!));
    expect((await operator.get('/v1/vault/epochs')).body.retiring).toEqual([]);

    // A seal is preceded by a checkpoint; after the erasure the log is still what it was.
    const log = await run(process.execPath, [CLI, 'verify-log', '--json', '--home', makuler.home]);
    expect(JSON.parse(log.stdout)).toMatchObject({ verified: true, custodian: 'fits', misfits: [] });

    // Whoever was erased keeps three files, and needs nobody to check them.
    const kept = async (name: string, answer: object) => {
      const file = join(makuler.directory, name);
      await writeFile(file, JSON.stringify(answer));
      return file;
    };
    const files = [await kept('certificate.json', certificate), await kept('attestation.json', attestation)];
    const jwks = await kept('jwks.json', (await auditor.get('/.well-known/jwks.json')).body);
    await makuler.stop();
    for (const program of ['event-node', 'vault', 'projector', 'worker', 'api']) {
      const lines = logLines(await readFile(join(makuler.home, 'logs', `${program}.log`), 'utf8'), program);
      expect(lines.map(({ event }) => event)).toContain('ready');
      expect(JSON.stringify(lines)).not.toMatch(/Kari|90012345/);
    }
    const { stdout } = await run(process.execPath, [CLI, 'verify-certificate', ...files, '--jwks', jwks]);
    expect(stdout).toContain('Certificate and attestation belong together.');
    expect(stdout).toContain(`Backups: unreadable since ${backupsClearedAt}`);
  }, 90_000);
});
