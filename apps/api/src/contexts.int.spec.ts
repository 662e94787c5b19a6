import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { InjectOptions } from 'fastify';
import { analytics } from '#analytics';
import { companyCard } from '#companies';
import { eventRegistry } from '#composition';
import { customerCard } from '#customers';
import { SubjectErased } from '#events';
import type { ActorId, CustomerId } from '#kernel';
import { newId, subjectOwner } from '#kernel';
import { createLogger, Metrics } from '#observability';
import { loadPolicy } from '#policy';
import { purchaseHistory } from '#purchases';
import { holdings } from '#retention';
import { serviceHistory, serviceStatus } from '#service';
import { ReadSide } from '#testing';
import type { TokenRole } from '#tokens';
import { AnalyticsRoutesModule } from './analytics/analytics-routes.module.js';
import type { ApiParts } from './app.module.js';
import { CompaniesRoutesModule } from './companies/companies-routes.module.js';
import { createApi } from './create-api.js';
import { CustomersRoutesModule } from './customers/customers-routes.module.js';
import { PurchasesRoutesModule } from './purchases/purchases-routes.module.js';
import { ServiceRoutesModule } from './service/service-routes.module.js';

const MARKS = /Marknes|90012345|900 12 345|marknes@|Vikavegen|Går varm/;
const company = {
  name: 'Fjord Mekaniske AS',
  organisationNumber: '974760673',
  legalForm: 'AS',
  address: { street: 'Vikavegen 1', postalCode: '5627', city: 'Jondal' },
};
const kari = { relationship: 'customer', name: 'Kari Marknes', phone: '900 12 345', email: 'kari@marknes.no', company };
const bought = {
  purchasedAt: '2026-03-10T09:30:00Z',
  currency: 'NOK',
  lines: [{ kind: 'product', itemType: 'spindle', description: 'Spindel', quantity: '3', unitPrice: '19.99' }],
  invoice: { number: 'F-100', date: '2026-03-10', delivery: { date: '2026-03-10', place: 'Jondal' } },
};
const ROLES: readonly TokenRole[] = ['integrator', 'service-desk', 'analyst', 'compliance', 'auditor'];
const PURPOSES: Readonly<Record<string, string>> = {
  integrator: 'avtale',
  'service-desk': 'kundehjelp',
  compliance: 'rettigheter',
};

describe('the routes of the main job, by the policy of JPI', () => {
  let side: ReadSide;
  let app: NestFastifyApplication;
  let keys = 0;

  beforeAll(async () => {
    const policy = await loadPolicy('policy/jpi');
    const projections = [
      customerCard,
      companyCard,
      purchaseHistory,
      serviceStatus,
      serviceHistory,
      holdings,
      analytics,
    ];
    side = await ReadSide.start({ policy, projections, now: new Date('2026-03-12T12:00:00Z') });
    const { ledger, pool, clock } = side;
    const tokens = {
      verify: (token: string) => {
        const role = ROLES.find((known) => known === token);
        const holder = role && {
          tokenId: newId(),
          actorId: newId<ActorId>(),
          roles: [role],
          defaultPurpose: PURPOSES[role],
        };
        return Promise.resolve(holder as never);
      },
    };
    const parts = {
      ...{
        clock,
        policy,
        registry: eventRegistry(),
        vault: {},
        shredder: {},
        operations: {},
        recovery: {},
        ledger,
        readModels: pool,
        control: pool,
      },
      ...{ close: () => Promise.resolve(), tokens, projections: side.states },
      metrics: new Metrics('spec'),
      logger: createLogger({ name: 'spec', destination: { write: () => undefined } }),
    } as unknown as ApiParts;
    const routes = [
      CompaniesRoutesModule,
      CustomersRoutesModule,
      PurchasesRoutesModule,
      ServiceRoutesModule,
      AnalyticsRoutesModule,
    ];
    app = await createApi(parts, routes);
  });
  afterAll(async () => {
    await app.close();
    await side.stop();
  });

  const call = (role: TokenRole, options: InjectOptions) =>
    app.inject({ ...options, headers: { authorization: `Bearer ${role}`, ...options.headers } });
  const get = async (role: TokenRole, url: string, headers: Record<string, string> = {}) => {
    const after = String(await side.ledger.head());
    return call(role, { url, headers: { 'makuler-after': after, ...headers } });
  };
  const post = (role: TokenRole, url: string, payload: object, headers: Record<string, string> = {}) =>
    call(role, { method: 'POST', url, payload, headers: { 'idempotency-key': `key-number-${++keys}`, ...headers } });
  const register = async (body: object = kari) =>
    (await post('integrator', '/v1/customers', body)).json<{ customerId: CustomerId; companyId: string }>();

  it('registers a customer, reads the card back, and rectifies it with what was read', async () => {
    const created = await post('integrator', '/v1/customers', kari);
    const { customerId, companyId, revision } = created.json();
    expect([created.statusCode, created.headers['location'], revision]).toEqual([
      201,
      `/v1/customers/${customerId}`,
      '0',
    ]);
    expect(created.headers['makuler-position']).toMatch(/^\d+$/);
    const card = await get('service-desk', `/v1/customers/${customerId}`);
    expect(card.json()).toMatchObject({
      customerId,
      companyId,
      relationship: 'customer',
      name: 'Kari Marknes',
      phone: '+4790012345',
      address: null,
    });
    expect(card.headers['cache-control']).toBe('no-store');
    const patch = (headers: Record<string, string>) =>
      call('integrator', {
        method: 'PATCH',
        url: `/v1/customers/${customerId}`,
        payload: { email: 'k@marknes.no' },
        headers,
      });
    expect((await patch({})).json()).toMatchObject({ status: 428 });
    const changed = await patch({ 'if-match': String(card.headers['etag']) });
    expect([changed.statusCode, changed.headers['etag']]).toEqual([200, '"1"']);
    expect((await patch({ 'if-match': '"0"' })).json()).toMatchObject({ status: 412, code: 'precondition-failed' });
    expect((await get('service-desk', `/v1/customers/${customerId}`)).json()).toMatchObject({
      email: 'k@marknes.no',
      phone: '+4790012345',
    });
  });

  it('names every problem by its path, and repeats no value', async () => {
    const bad = {
      ...kari,
      phone: '12345678',
      email: 'marknes@',
      company: { ...company, organisationNumber: '974760674' },
    };
    const answer = await post('integrator', '/v1/customers', bad);
    expect(answer.json()).toMatchObject({ status: 400, code: 'invalid-input' });
    const { errors } = answer.json<{ errors: { path: string }[] }>();
    expect(errors.map(({ path }) => path).sort()).toEqual(['company.organisationNumber', 'email', 'phone']);
    expect(answer.body).not.toMatch(MARKS);
    const unknown = await post('integrator', '/v1/customers', { ...kari, shoeSize: 'Marknes' });
    expect(unknown.json()).toMatchObject({ errors: [{ code: 'unknown-field' }] });
    const address = await post('integrator', '/v1/customers', { ...kari, address: { street: 'Vikavegen 1' } });
    expect(address.json()).toMatchObject({ errors: [{ path: 'address', code: 'unknown-field' }] });
    expect(address.body).not.toMatch(MARKS);
  });

  it('gives the same answer to a repeat and writes nothing', async () => {
    const { customerId } = await register();
    const headers = { 'idempotency-key': 'the-same-purchase' };
    const first = await post('integrator', '/v1/purchases', { customerId, ...bought }, headers);
    const head = await side.ledger.head();
    const again = await post('integrator', '/v1/purchases', { customerId, ...bought }, headers);
    expect([again.json(), again.statusCode, again.headers['idempotency-replayed']]).toEqual([
      first.json(),
      201,
      'true',
    ]);
    expect(await side.ledger.head()).toBe(head);
  });

  it('shows a purchase by purpose, and a list as CSV', async () => {
    const { customerId } = await register();
    const { purchaseId } = (await post('integrator', '/v1/purchases', { customerId, ...bought })).json();
    const support = (await get('service-desk', `/v1/purchases/${purchaseId}`)).json();
    expect(support).toMatchObject({
      day: '2026-03-10',
      contactId: customerId,
      lines: [{ itemType: 'spindle', item: { description: 'Spindel' } }],
    });
    expect(JSON.stringify(support)).not.toMatch(/59\.97|F-100/);
    const books = await get('compliance', `/v1/purchases/${purchaseId}`, { 'makuler-purpose': 'bokforing' });
    expect(books.json()).toMatchObject({
      lines: [{ amount: '59.97', item: { $state: 'withheld', reason: 'not-allowed' } }],
      invoice: { number: 'F-100', buyer: { name: 'Fjord Mekaniske AS', organisationNumber: '974760673' } },
    });
    const refused = await get('service-desk', `/v1/purchases/${purchaseId}`, { 'makuler-purpose': 'bokforing' });
    expect(refused.json()).toMatchObject({ status: 403, code: 'purpose-not-allowed' });
    const csv = await get('service-desk', `/v1/customers/${customerId}/purchases`, { accept: 'text/csv' });
    expect(csv.body.split('\r\n')[1]).toContain(`${purchaseId},2026-03-10`);
  });

  it('takes a service case from opening to closing, and names what is legal', async () => {
    const { customerId } = await register();
    const item = { itemType: 'spindle', serialNumber: 'SN-1' };
    const opened = await post('service-desk', '/v1/service-cases', {
      customerId,
      kind: 'repair',
      item,
      description: 'Går varm',
    });
    const { serviceCaseId } = opened.json();
    const url = `/v1/service-cases/${serviceCaseId}`;
    expect((await post('service-desk', `${url}/transitions`, { to: 'refunded' })).json()).toMatchObject({
      status: 409,
      code: 'illegal-transition',
      allowed: ['inProgress', 'awaitingPart', 'repaired', 'replaced', 'rejected', 'closed'],
    });
    for (const to of ['inProgress', 'repaired', 'closed'])
      expect((await post('service-desk', `${url}/transitions`, { to })).statusCode).toBe(200);
    expect((await post('service-desk', `${url}/notes`, { text: 'Eigar 01010750160' })).json()).toMatchObject({
      errors: [{ path: 'text', code: 'national-id-refused' }],
    });
    await post('service-desk', `${url}/notes`, { text: 'Henta' });
    const one = (await get('compliance', url)).json();
    expect(one).toMatchObject({
      status: 'closed',
      description: 'Går varm',
      history: [{}, {}, {}, {}, { entry: 'note', text: 'Henta' }],
    });
    expect((await get('service-desk', '/v1/service-cases?status=closed')).json().items).toHaveLength(1);
    expect((await get('service-desk', `/v1/customers/${customerId}/service-cases`)).json().items).toHaveLength(1);
  });

  it('keeps a company’s card, for those who write it', async () => {
    const { companyId } = (
      await post('integrator', '/v1/companies', { ...company, invoiceEmail: 'faktura@fjord.no' })
    ).json();
    const card = await get('integrator', `/v1/companies/${companyId}`);
    expect(card.json()).toMatchObject({ ...company, country: 'NO', invoiceEmail: 'faktura@fjord.no' });
    const headers = { 'if-match': String(card.headers['etag']) };
    const payload = { address: { street: 'Vikavegen 2' }, invoiceEmail: null };
    expect(
      (await call('integrator', { method: 'PATCH', url: `/v1/companies/${companyId}`, payload, headers })).statusCode,
    ).toBe(200);
    expect((await get('integrator', `/v1/companies/${companyId}`)).json()).toMatchObject({
      name: company.name,
      address: { street: 'Vikavegen 2', postalCode: '5627' },
      invoiceEmail: null,
    });
    expect((await get('service-desk', `/v1/companies/${companyId}`)).statusCode).toBe(403);
  });

  it('moves a lead on only with what the policy requires', async () => {
    const { customerId } = await register({ relationship: 'lead', name: 'Ola Marknes' });
    const url = `/v1/customers/${customerId}/relationship`;
    expect((await post('integrator', url, { relationship: 'customer' })).json()).toMatchObject({
      status: 400,
      code: 'invalid-input',
    });
    expect((await post('integrator', url, { relationship: 'ended' })).json()).toMatchObject({
      relationship: 'ended',
      revision: '1',
    });
  });

  it('answers analysts with figures and nobody’s name, the same before and after an erasure', async () => {
    const { customerId } = await register();
    await post('integrator', '/v1/purchases', { customerId, ...bought });
    const figures = async () => (await get('analyst', '/v1/analytics/sales?by=itemType,sector&from=2026-01-01')).body;
    const before = await figures();
    expect(JSON.parse(before)).toMatchObject({ items: [{ currency: 'NOK' }] });
    const categories = { contact: 1, purchase: 1 };
    const erased = SubjectErased.of({ ownerId: customerId, ownerKind: 'subject', categories, retained: [] });
    await side.forget(
      subjectOwner(customerId),
      erased,
      { category: 'contact' },
      { category: 'relation' },
      { category: 'purchase' },
    );
    expect(await figures()).toBe(before);
    expect((await get('service-desk', `/v1/customers/${customerId}`)).json()).toMatchObject({
      name: { $state: 'erased' },
      companyId: { $state: 'erased' },
    });
    expect((await get('service-desk', `/v1/customers/${customerId}/purchases`)).json()).toEqual({
      items: [],
      nextCursor: null,
    });
    expect((await post('integrator', '/v1/purchases', { customerId, ...bought })).json()).toMatchObject({
      status: 409,
      code: 'subject-closed',
    });
    expect((await get('service-desk', '/v1/analytics/sales')).statusCode).toBe(403);
    expect((await get('analyst', '/v1/analytics/sales?by=name')).json()).toMatchObject({ errors: [{ path: 'by' }] });
  });

  it('says not-found for ids that nobody has, and 400 for what is no id', async () => {
    const id = newId();
    for (const url of [`/v1/customers/${id}`, `/v1/purchases/${id}`, `/v1/service-cases/${id}`])
      expect((await get('service-desk', url)).json()).toMatchObject({ status: 404, code: 'not-found' });
    expect((await get('service-desk', '/v1/customers/Kari%20Marknes')).json()).toMatchObject({
      status: 400,
      errors: [{ path: 'id' }],
    });
  });

  it('answers 503 and no field when the vault is away', async () => {
    const { customerId } = await register();
    await side.caughtUp();
    side.ledger.fault = 'vault-unavailable';
    const answer = await call('service-desk', { url: `/v1/customers/${customerId}` });
    side.ledger.fault = undefined;
    expect(answer.json()).toMatchObject({ status: 503, code: 'vault-unavailable' });
    expect(answer.body).not.toContain('$state');
  });
});
