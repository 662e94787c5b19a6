import { createLocalJWKSet, compactVerify } from 'jose';
import { Installation, eventually } from './installation.js';

const MAIN = 'dist/test/mains/up.js';
const RIGHTS = { as: 'compliance', purpose: 'rettigheter' } as const;
const DESK = { as: 'service-desk', purpose: 'kundehjelp' } as const;
const BOOKS = { as: 'compliance', purpose: 'bokforing' } as const;

/** What becomes of a person who bought, was invoiced and has something in repair (design.md, section 4). */
describe('forgetting', () => {
  let makuler: Installation;
  beforeAll(async () => {
    makuler = await Installation.create({ policy: 'policy/webshop', main: MAIN });
    await makuler.start([], { MAKULER_TEST_CLOCK: '2026-03-12T09:00:00Z' });
  }, 120_000);
  afterAll(() => makuler.destroy());

  const post = async (path: string, body: unknown, options: Parameters<Installation['post']>[2] = {}) => {
    const reply = await makuler.post(path, body, { purpose: 'avtale', ...options });
    if (reply.status >= 300) throw new Error(`${path}: ${reply.status} ${reply.text}`);
    return reply.body;
  };
  const refusal = async (path: string, body: unknown, options: Parameters<Installation['post']>[2] = {}) => {
    const reply = await makuler.post(path, body, { purpose: 'avtale', ...options });
    return [reply.status, reply.body.code];
  };
  const purchase = (customerId: string) => ({
    ...{ customerId, purchasedAt: '2026-03-10T09:00:00Z', takenOverAt: '2026-03-12T09:00:00Z', currency: 'NOK' },
    lines: [{ kind: 'product', itemType: 'lathe', description: 'Dreiebenk 12', quantity: '1', unitPrice: '900.00' }],
    invoice: { number: '2026-17', date: '2026-03-10' },
  });
  const serviceCase = (customerId: string) => ({
    ...{ customerId, kind: 'repair', item: { itemType: 'lathe' }, description: 'Spindelen slarker' },
  });
  const holdingsOf = async (customerId: string) => {
    const { body } = await makuler.get(`/v1/customers/${customerId}/holdings`, RIGHTS);
    return body.items as { category: string; state: string; keepUntil: string | null }[];
  };
  const settled = (erasureId: string, state: string) =>
    eventually(
      () => makuler.get(`/v1/erasures/${erasureId}`, { as: 'auditor' }),
      ({ body }) => body?.state === state,
    );

  it('shreds, retains and defers as the plan says, survives a killed worker, and ends with the law’s own date', async () => {
    const { customerId } = await post('/v1/customers', {
      ...{ relationship: 'customer', name: 'Kari Nordmann', email: 'kari@example.no', phone: '90012345' },
      address: { street: 'Storgata 1', postalCode: '5600', city: 'Norheimsund' },
    });
    const { purchaseId } = await post('/v1/purchases', purchase(customerId));
    const { serviceCaseId } = await post('/v1/service-cases', serviceCase(customerId), DESK);
    const plan = await post('/v1/erasures', { customerId, ground: 'subject-request', note: 'ringte' }, RIGHTS);
    const actions = Object.fromEntries(
      plan.items.map((item: { category: string; action: string; until?: string; untilEvent?: string }) => [
        item.category,
        [item.action, item.until ?? item.untilEvent],
      ]),
    );
    expect(actions).toMatchObject({
      billing: ['retain', '2031-12-31'],
      purchase: ['shred', undefined],
      service: ['defer', 'case-closed'],
      contact: ['defer', 'case-closed'],
      request: ['shred', undefined],
    });
    const { erasureId, planHash } = plan;

    // Something comes in after the plan: the approval is refused, and says where to read the plan that holds now.
    await post('/v1/purchases', { ...purchase(customerId), invoice: { number: '2026-18', date: '2026-03-11' } });
    const figures = () => makuler.get('/v1/analytics/sales?by=month', { as: 'analyst' });
    const before = (await eventually(figures, ({ body }) => body?.items?.[0]?.purchases === '2')).text;
    const stale = await makuler.post(`/v1/erasures/${erasureId}/approve`, { planHash }, { as: 'approver' });
    expect([stale.status, stale.body.code]).toEqual([409, 'plan-changed']);
    expect(stale.text).not.toContain('partition');
    const reread = { as: 'approver', purpose: 'rettigheter' } as const;
    expect((await makuler.get(stale.body.plan, reread)).body.items).toHaveLength(plan.items.length + 2);
    await post(`/v1/erasures/${erasureId}/approve`, { planHash: stale.body.planHash }, { as: 'approver' });
    await makuler.signal('worker', 'SIGKILL');
    await post(`/v1/erasures/${erasureId}/execute`, {}, { as: 'compliance' });
    const done = await settled(erasureId, 'erased');
    const due = await makuler.get('/v1/retention/due', { as: 'compliance' });
    expect(due.body.code).toBe('purpose-required');
    expect((await makuler.get('/v1/retention/due', RIGHTS)).body.items).toEqual([]);
    expect(done.body).toMatchObject({
      retrying: [],
      liveErasedAt: expect.any(String),
      backupsClearedBy: expect.any(String),
    });

    // Late arrivals: refused, or covered by the plan.
    expect(await refusal('/v1/purchases', purchase(customerId))).toEqual([409, 'subject-closed']);
    expect(await refusal('/v1/service-cases', serviceCase(customerId), DESK)).toEqual([409, 'subject-closed']);
    await post(`/v1/service-cases/${serviceCaseId}/notes`, { text: 'Delen er kommet' }, DESK);
    await eventually(
      () => makuler.get(`/v1/service-cases/${serviceCaseId}`, DESK),
      ({ text }) => text.includes('Delen er kommet'),
    );

    // What only the law keeps opens for the books, and for nobody else.
    const desk = await makuler.get(`/v1/purchases/${purchaseId}`, DESK);
    expect(desk.text).not.toContain('Dreiebenk');
    const books = await makuler.get(`/v1/purchases/${purchaseId}`, BOOKS);
    expect(books.body.invoice).toMatchObject({ number: '2026-17' });

    // The repair is finished: what waited for it goes by itself.
    for (const to of ['inProgress', 'repaired', 'closed'])
      await post(`/v1/service-cases/${serviceCaseId}/transitions`, { to }, DESK);
    await eventually(
      () => holdingsOf(customerId),
      (items) => items.filter(({ state }) => state !== 'shredded').every(({ category }) => category === 'billing'),
    );
    const card = await makuler.get(`/v1/customers/${customerId}`, RIGHTS);
    expect(card.body.name).toEqual({ $state: 'erased' });
    expect((await figures()).text).toBe(before);

    const { certificate } = (await makuler.get(`/v1/erasures/${erasureId}/certificate`, { as: 'auditor' })).body;
    const jwks = (await makuler.get('/.well-known/jwks.json', { as: 'nobody' })).body;
    const { payload } = await compactVerify(certificate, createLocalJWKSet(jwks));
    const claims = JSON.parse(new TextDecoder().decode(payload)) as { kept: unknown };
    expect(claims.kept).toContainEqual(expect.objectContaining({ category: 'billing', count: 2, until: '2031-12-31' }));

    // Years later: the clock is confirmed, the day has come, and the vouchers go too.
    await makuler.stop();
    await makuler.start([], { MAKULER_TEST_CLOCK: '2032-01-01T09:00:00Z' });
    const early = await makuler.post('/v1/retention/sweeps', {}, { as: 'compliance' });
    expect([early.status, early.body.code]).toEqual([503, 'clock-implausible']);
    const seal = await makuler.post('/v1/vault/epochs', {}, { as: 'operator' });
    expect([seal.status, seal.body.code]).toEqual([503, 'clock-implausible']);
    const epochs = (await makuler.get('/v1/vault/epochs', { as: 'auditor' })).body;
    expect(epochs).toMatchObject({ current: 1, sealNeeded: true, retiring: [] });
    expect((await makuler.get(`/v1/purchases/${purchaseId}`, BOOKS)).body.invoice).toEqual({
      $state: 'withheld',
      reason: 'expired',
    });
    await post('/v1/clock/confirm', {}, { as: 'operator' });
    const dry = await post('/v1/retention/sweeps', { dryRun: true }, { as: 'compliance' });
    expect(dry).toMatchObject({ dryRun: true, due: { billing: 2 } });
    const { sweepId } = await post('/v1/retention/sweeps', {}, { as: 'compliance' });
    await eventually(
      () => makuler.get(`/v1/retention/sweeps/${sweepId}`, { as: 'auditor' }),
      ({ body }) => body?.state === 'finished',
    );
    const items = await eventually(
      () => holdingsOf(customerId),
      (rows) => rows.every(({ state }) => state === 'shredded'),
    );
    expect(items).toContainEqual({ category: 'billing', state: 'shredded', count: 2 });
    expect((await makuler.get(`/v1/purchases/${purchaseId}`, BOOKS)).body.invoice).toEqual({ $state: 'erased' });
    expect((await figures()).text).toBe(before);
  }, 240_000);
});
