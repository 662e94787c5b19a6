import { createLocalJWKSet, compactVerify } from 'jose';
import { Installation, eventually } from './installation.js';

const MAIN = 'dist/test/mains/up.js';
const RIGHTS = { as: 'compliance', purpose: 'rettigheter' } as const;
const DESK = { as: 'service-desk', purpose: 'kundehjelp' } as const;
const LATHE = {
  kind: 'product',
  itemType: 'lathe',
  description: 'Dreiebenk 12',
  quantity: '1',
  unitPrice: '900.00',
} as const;
const BOOKS = { as: 'compliance', purpose: 'bokforing' } as const;

/** What becomes of a person who bought, was invoiced and has something in repair (design.md, section 4). */
describe('forgetting', () => {
  let makuler: Installation;
  beforeAll(async () => {
    makuler = await Installation.create({ policy: 'policy/webshop', main: MAIN });
    await makuler.start([], { MAKULER_TEST_CLOCK: '2026-03-12T09:00:00Z' });
  }, 120_000);
  afterAll(() => makuler.destroy());

  const shop = () => makuler.client('integrator', 'avtale');
  const desk = () => makuler.client('service-desk', 'kundehjelp');
  const compliance = () => makuler.client('compliance', 'rettigheter');
  const refusal = async (path: string, body: unknown, options: Parameters<Installation['post']>[2] = {}) => {
    const reply = await makuler.post(path, body, { purpose: 'avtale', ...options });
    return [reply.status, reply.body.code];
  };
  const purchase = (customerId: string) => ({
    ...{ customerId, purchasedAt: '2026-03-10T09:00:00Z', takenOverAt: '2026-03-12T09:00:00Z', currency: 'NOK' },
    lines: [LATHE],
    invoice: { number: '2026-17', date: '2026-03-10' },
  });
  const serviceCase = (customerId: string) => ({
    ...{ customerId, kind: 'repair' as const, item: { itemType: 'lathe' }, description: 'Spindelen slarker' },
  });
  const holdingsOf = async (customerId: string) => {
    return (await compliance().get('/v1/customers/{id}/holdings', { path: { id: customerId } })).body.items;
  };
  const erased = (erasureId: string) =>
    eventually(
      async () => (await makuler.client('auditor').get('/v1/erasures/{id}', { path: { id: erasureId } })).body,
      ({ state }) => state === 'erased',
    );

  it('leads from a company to the contacts whom it still has, not to one who was erased', async () => {
    const company = {
      ...{ name: 'Hardanger Dreieri AS', legalForm: 'AS', organisationNumber: '923609016' },
      address: { street: 'Gata 1', postalCode: '5600', city: 'Norheimsund' },
    } as const;
    const contact = { relationship: 'customer', phone: '90012345' } as const;
    const first = { ...contact, name: 'Åse Dreier', email: 'ase@example.no', company };
    const { customerId: gone, companyId } = (await shop().post('/v1/customers', { body: first })).body;
    const second = { ...contact, name: 'Odd Dreier', email: 'odd@example.no', companyId: companyId! };
    const { customerId: there } = (await shop().post('/v1/customers', { body: second })).body;
    const question = { body: { organisationNumber: company.organisationNumber } };
    const contacts = async () => {
      const { items } = (await desk().post('/v1/customers/search', question)).body;
      return items.map(({ customerId }) => customerId).sort();
    };
    await eventually(contacts, (found) => found.length === 2);
    const order = { customerId: gone, ground: 'subject-request', note: 'ringte' };
    const { erasureId, planHash } = (await compliance().post('/v1/erasures', { body: order })).body;
    const path = { id: erasureId };
    await makuler.client('approver').post('/v1/erasures/{id}/approve', { path, body: { planHash } });
    await compliance().post('/v1/erasures/{id}/execute', { path });
    await erased(erasureId);
    expect(await contacts()).toEqual([there]);
  }, 120_000);

  it('shreds, retains and defers as the plan says, survives a killed worker, and ends with the law’s own date', async () => {
    const kari = {
      relationship: 'customer',
      name: 'Kari Nordmann',
      email: 'kari@example.no',
      phone: '90012345',
      address: { street: 'Storgata 1', postalCode: '5600', city: 'Norheimsund' },
    } as const;
    const { customerId } = (await shop().post('/v1/customers', { body: kari })).body;
    const { purchaseId } = (await shop().post('/v1/purchases', { body: purchase(customerId) })).body;
    const { serviceCaseId } = (await desk().post('/v1/service-cases', { body: serviceCase(customerId) })).body;
    const order = { customerId, ground: 'subject-request', note: 'ringte' };
    const plan = (await compliance().post('/v1/erasures', { body: order })).body;
    const actions = Object.fromEntries(
      plan.items.map((item) => [item.category, [item.action, item.until ?? item.untilEvent]]),
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
    const later = { ...purchase(customerId), invoice: { number: '2026-18', date: '2026-03-11' } };
    await shop().post('/v1/purchases', { body: later });
    const figures = () => makuler.get('/v1/analytics/sales?by=month', { as: 'analyst' });
    const before = (await eventually(figures, ({ body }) => body?.items?.[0]?.purchases === '2')).text;
    const stale = await makuler.post(`/v1/erasures/${erasureId}/approve`, { planHash }, { as: 'approver' });
    expect([stale.status, stale.body.code]).toEqual([409, 'plan-changed']);
    expect(stale.text).not.toContain('partition');
    const reread = { as: 'approver', purpose: 'rettigheter' } as const;
    expect((await makuler.get(stale.body.plan, reread)).body.items).toHaveLength(plan.items.length + 2);
    const path = { id: erasureId };
    const approved = { path, body: { planHash: stale.body.planHash as string } };
    await makuler.client('approver').post('/v1/erasures/{id}/approve', approved);
    await makuler.signal('worker', 'SIGKILL');
    await compliance().post('/v1/erasures/{id}/execute', { path });
    const done = await erased(erasureId);
    const due = await makuler.get('/v1/retention/due', { as: 'compliance' });
    expect(due.body.code).toBe('purpose-required');
    expect((await makuler.get('/v1/retention/due', RIGHTS)).body.items).toEqual([]);
    expect(done).toMatchObject({
      retrying: [],
      liveErasedAt: expect.any(String),
      backupsClearedBy: expect.any(String),
    });

    // Late arrivals: refused, or covered by the plan.
    expect(await refusal('/v1/purchases', purchase(customerId))).toEqual([409, 'subject-closed']);
    expect(await refusal('/v1/service-cases', serviceCase(customerId), DESK)).toEqual([409, 'subject-closed']);
    const repair = { id: serviceCaseId };
    await desk().post('/v1/service-cases/{id}/notes', { path: repair, body: { text: 'Delen er kommet' } });
    await eventually(
      () => makuler.get(`/v1/service-cases/${serviceCaseId}`, DESK),
      ({ text }) => text.includes('Delen er kommet'),
    );

    // What only the law keeps opens for the books, and for nobody else.
    const asked = await makuler.get(`/v1/purchases/${purchaseId}`, DESK);
    expect(asked.text).not.toContain('Dreiebenk');
    const books = await makuler.get(`/v1/purchases/${purchaseId}`, BOOKS);
    expect(books.body.invoice).toMatchObject({ number: '2026-17' });

    // The repair is finished: what waited for it goes by itself.
    for (const to of ['inProgress', 'repaired', 'closed'] as const)
      await desk().post('/v1/service-cases/{id}/transitions', { path: repair, body: { to } });
    await eventually(
      () => holdingsOf(customerId),
      (items) => items.filter(({ state }) => state !== 'shredded').every(({ category }) => category === 'billing'),
    );
    const card = await makuler.get(`/v1/customers/${customerId}`, RIGHTS);
    expect(card.body.name).toEqual({ $state: 'erased' });
    expect((await figures()).text).toBe(before);

    const auditor = makuler.client('auditor');
    const { certificate } = (await auditor.get('/v1/erasures/{id}/certificate', { path })).body;
    const { keys } = (await auditor.get('/.well-known/jwks.json')).body;
    const { payload } = await compactVerify(certificate, createLocalJWKSet({ keys: [...keys] }));
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
    await makuler.client('operator').post('/v1/clock/confirm');
    const dry = await compliance().post('/v1/retention/sweeps', { body: { dryRun: true } });
    expect(dry.body).toMatchObject({ dryRun: true, due: { billing: 2 } });
    const begun = (await compliance().post('/v1/retention/sweeps', { body: {} })).body;
    const sweepId = 'sweepId' in begun ? begun.sweepId : '';
    await eventually(
      async () => (await makuler.client('auditor').get('/v1/retention/sweeps/{id}', { path: { id: sweepId } })).body,
      ({ state }) => state === 'finished',
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
