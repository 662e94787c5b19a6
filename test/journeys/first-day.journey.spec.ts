import { Installation, eventually } from './installation.js';

/** The thin path through all real parts: registered over HTTP, sealed, in the log, in a row, read back, shredded, gone. */
describe('the first day', () => {
  let makuler: Installation;
  beforeAll(async () => {
    makuler = await Installation.create({ policy: 'policy/webshop' });
    await makuler.start();
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
    expect(done.body).toMatchObject({ liveErasedAt: expect.any(String), backupsClearedBy: null });
    const gone = await makuler.get(`/v1/customers/${customerId}`, { as: 'compliance', purpose: 'rettigheter' });
    expect(gone.body).toMatchObject({ name: { $state: 'erased' }, phone: { $state: 'erased' } });
    const certificate = await makuler.get(`/v1/erasures/${erasureId}/certificate`, {
      as: 'compliance',
      purpose: 'rettigheter',
    });
    expect(certificate.text).toContain('.');
  }, 60_000);
});
