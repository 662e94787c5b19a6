import type { CompanyId, CustomerId } from '#kernel';
import { newId } from '#kernel';
import type { TokenRole } from '#tokens';
import type { WholeApi } from './whole-api.js';

/** What stands in the system for the requests to be about. */
export interface World {
  readonly customerId: CustomerId;
  readonly companyId: CompanyId;
  readonly purchaseId: string;
  readonly serviceCaseId: string;
  readonly erasureId: string;
  /** Of a person whom nothing is done to. */
  readonly nobody: string;
}

/** A request that a route takes: whoever spoils one of these spoils one thing only. */
export interface GoodRequest {
  readonly role?: TokenRole;
  readonly url: (world: World) => string;
  readonly body?: (world: World) => Record<string, unknown>;
}

const address = { street: 'Vikavegen 1', postalCode: '5627', city: 'Jondal' };
const company = () => ({
  ...{ name: 'Fjord Mekaniske AS', organisationNumber: '974760673', country: 'NO', legalForm: 'AS' },
  ...{ address, invoiceEmail: 'faktura@fjord.no' },
});
const customer = () => ({
  ...{ relationship: 'customer', name: 'Kari Vik', phone: '90012345', email: 'kari@vik.no' },
  company: company(),
});
const purchase = ({ customerId }: World) => ({
  ...{ customerId, purchasedAt: '2026-03-10T09:30:00Z', takenOverAt: '2026-03-11', currency: 'NOK' },
  lines: [
    {
      ...{ kind: 'product', itemType: 'spindle', description: 'Spindel', quantity: '3', unitPrice: '19.99' },
      ...{ vatRate: '25', serialNumber: 'SN-1', guaranteeUntil: '2028-03-10' },
    },
  ],
  invoice: {
    ...{ number: 'F-100', date: '2026-03-10', dueDate: '2026-03-24' },
    delivery: { date: '2026-03-10', place: 'Jondal' },
  },
});
const serviceCase = ({ customerId, purchaseId }: World) => ({
  ...{ customerId, purchaseId, kind: 'repair', description: 'Går varm' },
  item: { itemType: 'spindle', serialNumber: 'SN-1' },
});
const at =
  (path: string) =>
  (world: World): string =>
    path.replace(/\{(\w+)\}/g, (_, name: keyof World) => world[name]);
const hash = () => 'a'.repeat(64);

/** One for every route of the access matrix. */
export const GOOD_REQUESTS: Readonly<Record<string, GoodRequest>> = {
  'GET /health/live': { url: at('/health/live') },
  'GET /health/ready': { url: at('/health/ready') },
  'GET /errors': { url: at('/errors') },
  'GET /errors/:code': { url: at('/errors/forbidden') },
  'GET /openapi.json': { url: at('/openapi.json') },
  'GET /docs': { url: at('/docs') },
  'GET /docs/start.js': { url: at('/docs/start.js') },
  'GET /docs/swagger-ui.css': { url: at('/docs/swagger-ui.css') },
  'GET /docs/swagger-ui-bundle.js': { url: at('/docs/swagger-ui-bundle.js') },
  'GET /.well-known/jwks.json': { url: at('/.well-known/jwks.json') },
  'GET /metrics': { role: 'operator', url: at('/metrics') },
  'GET /v1/policy': { role: 'auditor', url: at('/v1/policy') },
  'GET /v1/data-map': { role: 'auditor', url: at('/v1/data-map') },

  'POST /v1/companies': { role: 'integrator', url: at('/v1/companies'), body: company },
  'GET /v1/companies/:id': { role: 'integrator', url: at('/v1/companies/{companyId}') },
  'PATCH /v1/companies/:id': {
    ...{ role: 'integrator', url: at('/v1/companies/{companyId}') },
    body: () => ({ address: { street: 'Vikavegen 2' } }),
  },
  'GET /v1/companies/:id/holdings': { role: 'compliance', url: at('/v1/companies/{companyId}/holdings') },

  'POST /v1/customers': { role: 'integrator', url: at('/v1/customers'), body: customer },
  'POST /v1/customers/search': {
    ...{ role: 'service-desk', url: at('/v1/customers/search') },
    body: () => ({ email: 'kari@vik.no', limit: 10 }),
  },
  'GET /v1/customers/:id': { role: 'service-desk', url: at('/v1/customers/{customerId}') },
  'PATCH /v1/customers/:id': {
    ...{ role: 'integrator', url: at('/v1/customers/{customerId}') },
    body: () => ({ email: 'k@vik.no' }),
  },
  'POST /v1/customers/:id/relationship': {
    ...{ role: 'integrator', url: at('/v1/customers/{nobody}/relationship') },
    body: () => ({ relationship: 'ended' }),
  },
  'GET /v1/customers/:id/purchases': {
    ...{ role: 'service-desk', url: at('/v1/customers/{customerId}/purchases?limit=2') },
  },
  'GET /v1/customers/:id/service-cases': {
    ...{ role: 'service-desk', url: at('/v1/customers/{customerId}/service-cases?limit=2') },
  },
  'GET /v1/customers/:id/holdings': { role: 'compliance', url: at('/v1/customers/{customerId}/holdings') },

  'POST /v1/purchases': { role: 'integrator', url: at('/v1/purchases'), body: purchase },
  'GET /v1/purchases/:id': { role: 'service-desk', url: at('/v1/purchases/{purchaseId}') },

  'POST /v1/service-cases': { role: 'service-desk', url: at('/v1/service-cases'), body: serviceCase },
  'GET /v1/service-cases': { role: 'service-desk', url: at('/v1/service-cases?limit=2&status=opened') },
  'GET /v1/service-cases/:id': { role: 'service-desk', url: at('/v1/service-cases/{serviceCaseId}') },
  'POST /v1/service-cases/:id/transitions': {
    ...{ role: 'service-desk', url: at('/v1/service-cases/{serviceCaseId}/transitions') },
    body: () => ({ to: 'inProgress' }),
  },
  'POST /v1/service-cases/:id/notes': {
    ...{ role: 'service-desk', url: at('/v1/service-cases/{serviceCaseId}/notes') },
    body: () => ({ text: 'Henta' }),
  },

  'POST /v1/imports/:kind/rows': {
    ...{ role: 'integrator', url: at('/v1/imports/customers/rows') },
    body: () => ({ source: 'webshop', dryRun: true, rows: [{ line: 2, key: 'k-1', record: customer() }] }),
  },

  'GET /v1/analytics/sales': { role: 'analyst', url: at('/v1/analytics/sales?by=month&from=2026-01-01') },
  'GET /v1/analytics/service': { role: 'analyst', url: at('/v1/analytics/service?by=month&to=2026-12-31') },
  'GET /v1/analytics/customers': { role: 'analyst', url: at('/v1/analytics/customers?by=month&from=2026-01-01') },

  'POST /v1/erasures': {
    ...{ role: 'compliance', url: at('/v1/erasures') },
    body: ({ customerId }) => ({ customerId, ground: 'subject-request', note: 'Ringte' }),
  },
  'GET /v1/erasures': { role: 'auditor', url: at('/v1/erasures?limit=2') },
  'GET /v1/erasures/:id': { role: 'auditor', url: at('/v1/erasures/{erasureId}') },
  'GET /v1/erasures/:id/plan': { role: 'compliance', url: at('/v1/erasures/{erasureId}/plan?limit=2') },
  'POST /v1/erasures/:id/approve': {
    ...{ role: 'approver', url: at('/v1/erasures/{nobody}/approve') },
    body: () => ({ planHash: hash() }),
  },
  'POST /v1/erasures/:id/execute': { role: 'compliance', url: at('/v1/erasures/{erasureId}/execute') },
  'POST /v1/erasures/:id/give-up': { role: 'compliance', url: at('/v1/erasures/{nobody}/give-up') },
  'GET /v1/erasures/:id/certificate': { role: 'auditor', url: at('/v1/erasures/{erasureId}/certificate') },
  'GET /v1/erasures/:id/certificates': { role: 'auditor', url: at('/v1/erasures/{erasureId}/certificates') },
  'GET /v1/erasures/:id/attestation': { role: 'auditor', url: at('/v1/erasures/{erasureId}/attestation') },

  'GET /v1/retention/due': { role: 'compliance', url: at('/v1/retention/due') },
  'POST /v1/retention/sweeps': {
    ...{ role: 'compliance', url: at('/v1/retention/sweeps') },
    body: () => ({ asOf: '2026-05-01', dryRun: true }),
  },
  'GET /v1/retention/sweeps/:id': { role: 'auditor', url: at('/v1/retention/sweeps/{nobody}') },
  'POST /v1/retention/sweeps/:id/approve': { role: 'approver', url: at('/v1/retention/sweeps/{nobody}/approve') },

  'GET /v1/projections': { role: 'operator', url: at('/v1/projections') },
  'POST /v1/projections/:name/rebuild': { role: 'operator', url: at('/v1/projections/no-such-projection/rebuild') },
  'GET /v1/clock': { role: 'operator', url: at('/v1/clock') },
  'POST /v1/clock/confirm': { role: 'operator', url: at('/v1/clock/confirm') },
  'GET /v1/backups': { role: 'operator', url: at('/v1/backups') },
  'GET /v1/vault/epochs': { role: 'operator', url: at('/v1/vault/epochs') },
  'POST /v1/vault/epochs': { role: 'operator', url: at('/v1/vault/epochs'), body: () => ({ force: false }) },
  'GET /v1/vault/mirrors': { role: 'operator', url: at('/v1/vault/mirrors') },
  'POST /v1/vault/mirrors': { role: 'operator', url: at('/v1/vault/mirrors'), body: () => ({ place: 'relative' }) },
  'POST /v1/vault/mirrors/:id/retirement': { role: 'operator', url: at('/v1/vault/mirrors/{nobody}/retirement') },
  'POST /v1/vault/mirrors/:id/retirement/approve': {
    ...{ role: 'approver', url: at('/v1/vault/mirrors/{nobody}/retirement/approve') },
  },
  'POST /v1/vault/mirrors/:id/repair': { role: 'operator', url: at('/v1/vault/mirrors/{nobody}/repair') },
  'POST /v1/vault/losses': { role: 'operator', url: at('/v1/vault/losses') },
  'POST /v1/vault/losses/:id/approve': {
    ...{ role: 'approver', url: at('/v1/vault/losses/{nobody}/approve') },
    body: () => ({ hash: hash() }),
  },
};

/** Fills a system over HTTP. */
export const fill = async (api: WholeApi): Promise<World> => {
  const made = async (route: string, world: World) => {
    const { role, url, body } = GOOD_REQUESTS[route]!;
    const headers = { 'idempotency-key': api.nextKey() };
    const answer = await api.call(role!, { method: 'POST', url: url(world), payload: body!(world), headers });
    if (answer.statusCode !== 201) throw new Error(`${route}: ${answer.body}`);
    await api.side.caughtUp();
    return answer.json<Partial<World>>();
  };
  let world = { nobody: newId() } as World;
  for (const route of ['customers', 'purchases', 'service-cases', 'erasures'])
    world = { ...world, ...(await made(`POST /v1/${route}`, world)) };
  return world;
};
