import type { Installation, RequestOptions } from '../journeys/installation.js';
import { eventually } from '../journeys/installation.js';
import { makuler as command, startAt, webshopAt } from '../journeys/chinook.js';
import { BehindTheApi } from './behind-the-api.js';
import { Erasing } from './erasing.js';
import type { Rows } from './rebuilt-elsewhere.js';
import { rebuiltElsewhere } from './rebuilt-elsewhere.js';

const RIGHTS = { as: 'compliance', purpose: 'rettigheter' } as const;
const SALES = { as: 'integrator', purpose: 'avtale' } as const;
const DESK = { as: 'service-desk', purpose: 'kundehjelp' } as const;

const line = (n: number) => ({
  ...{ kind: 'product', itemType: n % 2 ? 'fres' : 'dreiebenk', description: `Vare ${n}` },
  ...{ quantity: `${n}`, unitPrice: '125.50' },
});
const purchase = (customerId: string, day: string, n = 1) => ({
  ...{ customerId, purchasedAt: day, currency: 'NOK', lines: [line(n), line(n + 1)] },
  invoice: { number: `F-${day}-${n}`, date: day, delivery: { date: day } },
});

/** P7: a rebuild from an empty database gives the live read models, row for row, equal after opening. */
describe('read models that are built anew', () => {
  let makuler: Installation;
  let behind: BehindTheApi;

  beforeAll(async () => {
    makuler = await webshopAt('2025-12-31T10:00:00Z');
    behind = await BehindTheApi.of(makuler);
  }, 90_000);
  afterAll(async () => {
    await behind.close();
    await makuler.destroy();
  }, 60_000);

  const write = async (method: string, path: string, body: unknown, options: RequestOptions) => {
    const reply = await makuler.request(method, path, { ...options, body });
    if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${reply.text}`);
    return reply;
  };
  const rectify = async (customerId: string, ...changes: readonly object[]) => {
    let revision = (await makuler.get(`/v1/customers/${customerId}`, RIGHTS)).headers.get('etag')!;
    for (const change of changes) {
      const headers = { 'if-match': revision };
      const reply = await write('PATCH', `/v1/customers/${customerId}`, change, { ...RIGHTS, headers });
      revision = reply.headers.get('etag')!;
    }
  };
  const caseOf = async (customerId: string, steps: readonly string[]) => {
    const body = { customerId, kind: 'repair', item: { itemType: 'fres', serialNumber: 'S1' }, description: 'Skjev' };
    const { serviceCaseId } = (await write('POST', '/v1/service-cases', body, DESK)).body;
    await write('POST', `/v1/service-cases/${serviceCaseId}/notes`, { text: 'Ringte' }, DESK);
    for (const to of steps) await write('POST', `/v1/service-cases/${serviceCaseId}/transitions`, { to }, DESK);
    return serviceCaseId as string;
  };
  /** Both must hold something in every table, or equality says nothing. */
  const equal = ({ live, rebuilt }: { live: Rows; rebuilt: Rows }) => {
    expect(rebuilt).toEqual(live);
    for (const [table, rows] of Object.entries(live)) expect([table, rows.length > 0]).toEqual([table, true]);
  };

  let people: readonly string[];
  let openCase: string;

  it('are equal after imports and commands', async () => {
    const row = (n: number) => ({
      ...{ line: n, key: `K${n}` },
      record: {
        ...{ relationship: n === 7 ? 'lead' : 'customer', name: `Person ${n}`, email: `p${n}@example.no` },
        ...(n % 3 === 0 ? { company: { name: `Firma ${n}`, legalForm: n === 3 ? 'ENK' : 'AS' } } : {}),
        ...(n === 1 ? { address: { street: 'Storgata 1', postalCode: '5770', city: 'Tyssedal' } } : {}),
      },
    });
    const rows = Array.from({ length: 8 }, (_, n) => row(n + 1));
    const imported = await write('POST', '/v1/imports/customers/rows', { source: 'erp', rows }, SALES);
    people = imported.body.results.map(({ id }: { id: string }) => id);
    const bought = ['2021-02-03', '2021-11-30', '2024-06-01', '2025-12-30'].flatMap((day, d) =>
      people.slice(0, 6).map((_, p) => {
        const { customerId: _found, ...record } = purchase('', day, d + p + 1);
        return { line: d * 6 + p + 1, key: `P${d}-${p}`, customerKey: `K${p + 1}`, record };
      }),
    );
    const purchases = await write('POST', '/v1/imports/purchases/rows', { source: 'erp', rows: bought }, SALES);
    const refused = purchases.body.results.filter(({ outcome }: { outcome: string }) => outcome !== 'created');
    expect(refused).toEqual([]);
    for (const person of people.slice(0, 3)) {
      await rectify(person, { phone: '90012345' }, { name: 'Et Annet Navn' });
      await caseOf(person, ['inProgress', 'awaitingPart', 'repaired', 'closed']);
    }
    openCase = await caseOf(people[4]!, ['inProgress']);
    await caseOf(people[5]!, ['closed', 'reopened', 'closed']);
    await write('POST', `/v1/customers/${people[3]}/relationship`, { relationship: 'ended' }, SALES);
    const { live, rebuilt } = await rebuiltElsewhere(behind);
    expect(rebuilt).toEqual(live);
    expect(live['purchase_history.purchase_history']).toHaveLength(24);
  }, 90_000);

  it('are equal after erasures: of a private person, of a contact, and of one whose case is still open', async () => {
    const erasing = new Erasing(makuler);
    for (const n of [0, 2, 4]) await erasing.toTheEnd(people[n]!);
    await write('POST', `/v1/service-cases/${openCase}/notes`, { text: 'Deferred, not closed' }, DESK);
    equal(await rebuiltElsewhere(behind));
  }, 90_000);

  it('are equal after expiries: a sweep a year later, and the end of what an erasure had deferred', async () => {
    await behind.close();
    await makuler.stop();
    await startAt(makuler, '2027-01-01T11:00:00Z');
    behind = await BehindTheApi.of(makuler);
    await write('POST', '/v1/clock/confirm', {}, { as: 'operator' });
    const sweep = await write('POST', '/v1/retention/sweeps', {}, RIGHTS);
    const path = `/v1/retention/sweeps/${sweep.body.sweepId}`;
    expect(sweep.body).toMatchObject({ state: 'planned', reason: 'large' });
    await write('POST', `${path}/approve`, {}, { as: 'approver', purpose: 'rettigheter' });
    const finished = await eventually(
      () => makuler.get(path, RIGHTS),
      ({ body }) => body?.state === 'finished',
      120_000,
    );
    expect(finished.body.shredded).toBeGreaterThan(20);
    await write('POST', `/v1/service-cases/${openCase}/transitions`, { to: 'closed' }, DESK);
    const { ledger } = await behind.parts();
    await eventually(
      () => ledger.read(`service-${openCase}`),
      (events) => events.every(({ scopes }) => scopes.every(({ state }) => state === 'shredded')),
    );
    const expired = (type: string, stream: string) => type === 'scope.expired' && stream === `customer-${people[4]}`;
    await eventually(
      () => behind.log(),
      (log) => log.some(({ type, stream }) => expired(type, stream)),
    );
    equal(await rebuiltElsewhere(behind));
  }, 240_000);

  it('are equal when they are built beside the live ones and put in their place', async () => {
    const before = await rebuiltElsewhere(behind);
    const tables = async () =>
      (await behind.database('readmodels').query(`select 'customer_card.customer_card'::regclass::oid as id`)).rows;
    const [table] = await tables();
    const { code, stderr } = await command(makuler, 'rebuild', '--json').ended;
    expect([code, stderr]).toEqual([0, '']);
    expect(await tables()).not.toEqual([table]);
    const after = await rebuiltElsewhere(behind);
    expect(after.live).toEqual(before.live);
  }, 120_000);
});
