import type { InjectOptions } from 'fastify';
import { flawsOfRefusal } from './clean-refusal.js';
import type { World } from './good-requests.js';
import { fill, GOOD_REQUESTS } from './good-requests.js';
import { MARK } from './spoiling.js';
import { WholeApi } from './whole-api.js';

/** Ids and hashes that the commands before answered with. */
type Told = Readonly<Record<string, string>>;
interface Repeated {
  /** Of the first answer. */
  readonly status: number;
  /** Why this world can't carry the command out. */
  readonly because?: string;
  /** Where the good request is not one that is carried out. */
  readonly path?: (told: Told, world: World) => string;
  readonly body?: (told: Told, world: World) => object;
}

/** Every command, in an order in which they can be carried out. */
const COMMANDS: Readonly<Record<string, Repeated>> = {
  'POST /v1/companies': { status: 201 },
  'PATCH /v1/companies/:id': { status: 200, path: ({ companyId }) => `/v1/companies/${companyId}` },
  'POST /v1/customers': { status: 201 },
  'PATCH /v1/customers/:id': { status: 200, path: ({ customerId }) => `/v1/customers/${customerId}` },
  'POST /v1/purchases': { status: 201 },
  'POST /v1/service-cases': { status: 201 },
  'POST /v1/service-cases/:id/transitions': { status: 200 },
  'POST /v1/service-cases/:id/notes': { status: 201 },
  'POST /v1/customers/:id/relationship': {
    ...{ status: 200, path: ({ customerId }) => `/v1/customers/${customerId}/relationship` },
  },
  'POST /v1/imports/:kind/rows': {
    status: 200,
    body: () => ({
      source: 'webshop',
      rows: [{ line: 2, key: 'k-1', record: { relationship: 'lead', name: 'Ola Vik' } }],
    }),
  },
  'POST /v1/erasures': { status: 201, body: ({ customerId }) => ({ customerId, ground: 'subject-request' }) },
  'POST /v1/erasures/:id/approve': {
    ...{ status: 200, path: ({ erasureId }) => `/v1/erasures/${erasureId}/approve` },
    body: ({ planHash }) => ({ planHash }),
  },
  'POST /v1/erasures/:id/execute': { status: 202, path: ({ erasureId }) => `/v1/erasures/${erasureId}/execute` },
  'POST /v1/erasures/:id/give-up': { status: 200, path: (_, { erasureId }) => `/v1/erasures/${erasureId}/give-up` },
  'POST /v1/retention/sweeps': { status: 202, body: () => ({}) },
  'POST /v1/retention/sweeps/:id/approve': {
    ...{ status: 200, path: ({ sweepId }) => `/v1/retention/sweeps/${sweepId}/approve` },
  },
  'POST /v1/projections/:name/rebuild': { status: 202, path: () => '/v1/projections/customer_card/rebuild' },
  'POST /v1/clock/confirm': { status: 200 },
  'POST /v1/vault/epochs': { status: 201, body: () => ({ force: true }) },
  'POST /v1/vault/mirrors': { status: 201, body: () => ({ place: '/mirrors/c' }) },
  'POST /v1/vault/mirrors/:id/repair': { status: 200, path: ({ mirrorId }) => `/v1/vault/mirrors/${mirrorId}/repair` },
  'POST /v1/vault/mirrors/:id/retirement': {
    ...{ status: 202, path: ({ mirrorId }) => `/v1/vault/mirrors/${mirrorId}/retirement` },
  },
  'POST /v1/vault/mirrors/:id/retirement/approve': {
    ...{ status: 200, path: ({ mirrorId }) => `/v1/vault/mirrors/${mirrorId}/retirement/approve` },
  },
  'POST /v1/vault/losses': { status: 409, because: 'whole' },
  'POST /v1/vault/losses/:id/approve': { status: 404, because: 'whole' },
};

describe('a command that is sent again', () => {
  let api: WholeApi;
  let world: World;
  let told: Told = {};
  beforeAll(async () => {
    api = await WholeApi.start();
    world = await fill(api);
  });
  afterAll(() => api.stop());

  it('is tried for every route that takes a key', () => {
    const taking = Object.keys(GOOD_REQUESTS).filter(
      (route) => /^(POST|PATCH)/.test(route) && !route.endsWith('search'),
    );
    expect(Object.keys(COMMANDS).sort()).toEqual(taking.sort());
  });

  it.each(Object.entries(COMMANDS))('under its key is not carried out twice: %s', async (route, row) => {
    await api.side.caughtUp();
    const good = GOOD_REQUESTS[route]!;
    const payload = row.body?.(told, world) ?? good.body?.(world);
    const method = route.split(' ')[0] as 'POST' | 'PATCH';
    const sent: InjectOptions = {
      ...{ method, url: row.path?.(told, world) ?? good.url(world), ...(payload && { payload }) },
      headers: { 'idempotency-key': api.nextKey(), ...(method === 'PATCH' && { 'if-match': '"0"' }) },
    };
    const first = await api.call(good.role!, sent);
    expect([first.statusCode, first.statusCode >= 400]).toEqual([row.status, row.because !== undefined]);
    const head = await api.side.ledger.head();

    const altered = { ...sent, payload: { ...payload, [MARK]: MARK } };
    expect(await flawsOfRefusal(api, good.role, altered)).toEqual([]);
    const refused = await api.call(good.role!, altered);
    // Where no body is taken, one that is sent all the same is refused before its key is looked at.
    expect(refused.json()).toMatchObject(payload ? { status: 422, code: 'idempotency-key-reused' } : { status: 400 });

    const again = await api.call(good.role!, sent);
    expect(again.statusCode).toBe(first.statusCode);
    expect(again.headers['idempotency-replayed']).toBe(row.because === undefined ? 'true' : undefined);
    const { requestId: _, ...answer } = first.json<Record<string, string>>();
    expect(again.json()).toMatchObject(answer);
    expect(await api.side.ledger.head()).toBe(head);
    told = { ...told, ...answer };
  });
});
