import { rename } from 'node:fs/promises';
import { eventually, Installation } from './installation.js';

const KARI = {
  ...{ relationship: 'customer', name: 'Kari Marknes', phone: '90012345', email: 'kari@example.no' },
  address: { street: 'Storgata 1', postalCode: '5600', city: 'Norheimsund' },
};

const purchase = (customerId: string) => ({
  ...{ customerId, purchasedAt: '2026-03-10T09:00:00Z', currency: 'NOK' },
  lines: [{ kind: 'product', itemType: 'lathe', description: 'Dreiebenk 12', quantity: '1', unitPrice: '900.00' }],
  invoice: { number: '2026-17', date: '2026-03-10' },
});

/** The worst day: both mirrors of the custodian are gone, and with them every root key. */
describe('an installation whose custodian is gone', () => {
  let installation: Installation;
  let customerId: string;
  beforeAll(async () => {
    installation = await Installation.create({ policy: 'policy/webshop' });
    await installation.start();
    const registered = await installation.post('/v1/customers', KARI, { as: 'integrator', purpose: 'avtale' });
    expect(registered.status).toBe(201);
    customerId = registered.body.customerId;
    const bought = await installation.post('/v1/purchases', purchase(customerId), { purpose: 'avtale' });
    expect(bought.status).toBe(201);
    await installation.stop();
    await rename(installation.custodian, `${installation.custodian}.away`);
    await installation.start();
  }, 120_000);
  afterAll(() => installation.destroy(), 60_000);

  const card = () => installation.get(`/v1/customers/${customerId}`, { as: 'compliance', purpose: 'rettigheter' });
  const gate = async () => (await installation.get('/health/ready', { as: 'nobody' })).body.checks.vault;

  it('comes up all the same, says what it means, and reads nothing as erased', async () => {
    expect(installation.output).toMatch(/gate is closed \(lost\)/);
    expect(await gate()).toMatchObject({
      ready: false,
      because: expect.stringMatching(/^lost: .*\/v1\/vault\/losses/),
    });
    expect(await card()).toMatchObject({ status: 503, body: { code: 'vault-unavailable' } });
  });

  it('reads as lost what an operator has found and an approver has accepted, and goes on', async () => {
    const found = await installation.post('/v1/vault/losses', undefined, { as: 'operator' });
    expect(found).toMatchObject({ status: 201, body: { state: 'found', missingEvents: null } });
    expect(found.body.scopes.customer).toBeGreaterThan(0);
    const approve = (as: 'operator' | 'approver', hash: string) =>
      installation.post(`/v1/vault/losses/${found.body.lossId}/approve`, { hash }, { as });
    expect((await approve('operator', found.body.hash)).status).toBe(403);
    expect((await approve('approver', 'a'.repeat(64))).body.code).toBe('plan-changed');
    expect(await approve('approver', found.body.hash)).toMatchObject({ status: 200, body: { state: 'accepted' } });
    await eventually(gate, ({ ready }) => ready);
    expect((await card()).body).toMatchObject({ name: { $state: 'lost' }, email: { $state: 'lost' } });
    const projections = async () => (await installation.get('/v1/projections', { as: 'operator' })).body.items;
    // Made again: no row tells any more what only lost fields had told.
    await eventually(projections, (items: { state: string; rebuild: object | null }[]) =>
      items.every(({ state, rebuild }) => state === 'running' && rebuild === null),
    );
    const history = `/v1/customers/${customerId}/purchases`;
    expect((await installation.get(history, { as: 'compliance', purpose: 'kundehjelp' })).body.items).toEqual([]);
    const again = await installation.post('/v1/customers', KARI, { as: 'integrator', purpose: 'avtale' });
    expect(again.status).toBe(201);
    const { body } = await installation.get(`/v1/customers/${again.body.customerId}`, {
      ...{ as: 'compliance', purpose: 'rettigheter' },
      headers: { 'makuler-after': again.headers.get('makuler-position')! },
    });
    expect(body.name).toBe(KARI.name);
  }, 60_000);
});
