import type { CustomerInput } from '#customers';
import { RegisterCustomer } from '#customers';
import { SubjectErased } from '#events';
import type { CustomerId } from '#kernel';
import { subjectOwner } from '#kernel';
import type { Manifest } from '#policy';
import { Policy, loadPolicy } from '#policy';
import { RecordPurchase } from '#purchases';
import { OpenServiceCase } from '#service';
import { ReadSide } from '#testing';
import { RegisterCustomerHandler } from '../../customers/src/register-customer.js';
import { RecordPurchaseHandler } from '../../purchases/src/record-purchase.js';
import { AdvanceServiceCase, AdvanceServiceCaseHandler } from '../../service/src/advance-service-case.js';
import { OpenServiceCaseHandler } from '../../service/src/open-service-case.js';
import { analytics } from './analytics.projection.js';
import { GetFigures, GetFiguresHandler } from './analytics.query.js';
import type { FiguresWanted } from './figures.js';

const TABLES = ['analytics.sales', 'analytics.service_cases', 'analytics.customers'];
const person = (postalCode: string, city: string): CustomerInput => ({
  relationship: 'customer',
  name: 'Kari Nordmann',
  email: 'kari@example.no',
  address: { street: 'Vikavegen 1', postalCode, city },
});

describe('analytics', () => {
  let policy: Policy;
  let side: ReadSide;
  const register = async (input: CustomerInput) =>
    (
      await side.as('integrator', 'avtale', () =>
        new RegisterCustomerHandler(side.ledger, policy).execute(new RegisterCustomer(input)),
      )
    ).customerId;
  const buy = (
    customerId: CustomerId,
    day: string,
    unitPrice: string,
    itemType = 'spindle',
    quantity = '1',
    currency = 'NOK',
  ) => {
    const lines = [{ kind: 'product', itemType, quantity, unitPrice }] as const;
    const command = new RecordPurchase({ customerId, purchasedAt: day, currency, lines });
    return side.as('integrator', 'avtale', () =>
      new RecordPurchaseHandler(side.ledger, policy, side.clock).execute(command),
    );
  };
  const figures = async (subject: GetFigures['subject'], wanted: FiguresWanted, minimumGroup = 1) => {
    await side.caughtUp();
    const lenient = new Policy({ ...policy.manifest, analytics: { minimumGroup } } as Manifest, policy.contentHash);
    return side.as('analyst', '', () =>
      new GetFiguresHandler(side.db, lenient).execute(new GetFigures(subject, wanted)),
    );
  };

  beforeAll(async () => {
    policy = await loadPolicy('policy/webshop');
  });
  beforeEach(async () => {
    side = await ReadSide.start({ policy, projections: [analytics], now: new Date('2026-03-31T12:00:00Z') });
  });
  afterEach(() => side.stop());

  it('sums money exactly, by month and currency', async () => {
    const id = await register(person('5627', 'Jondal'));
    for (let i = 0; i < 10; i++) await buy(id, '2026-01-15', '0.10');
    await buy(id, '2026-02-01', '0.20');
    await buy(id, '2026-02-28', '999999999999.99');
    await buy(id, '2026-02-28', '5', 'spindle', '3', 'EUR');
    const nok = { currency: 'NOK', mergedGroups: 0 };
    expect(await figures('sales', { by: ['month'] })).toEqual([
      { ...nok, month: '2026-01', purchases: '10', lines: '10', quantity: '10', amount: '1.00' },
      { ...nok, month: '2026-02', purchases: '2', lines: '2', quantity: '2', amount: '1000000000000.19' },
      {
        month: '2026-02',
        currency: 'EUR',
        purchases: '1',
        lines: '1',
        quantity: '3',
        amount: '15.00',
        mergedGroups: 0,
      },
    ]);
  });

  it('looks at a period, first and last day included, and at every dimension', async () => {
    const id = await register(person('5627', 'Jondal'));
    await buy(id, '2026-01-01', '1');
    await buy(id, '2026-01-31', '2');
    await buy(id, '2026-02-01', '4');
    const wanted = {
      by: ['region', 'sector', 'firstPurchase', 'kind', 'itemType', 'day'],
      from: '2026-01-31',
      to: '2026-02-01',
    };
    expect(await figures('sales', wanted)).toMatchObject([
      {
        region: '56',
        sector: 'private',
        firstPurchase: 'false',
        kind: 'product',
        itemType: 'spindle',
        day: '2026-01-31',
        amount: '2.00',
      },
      { day: '2026-02-01', amount: '4.00' },
    ]);
    expect(await figures('sales', { by: [], from: '2026-02-02' })).toEqual([]);
    await expect(figures('sales', { by: ['name'] })).rejects.toMatchObject({ code: 'invalid-input' });
  });

  it('counts persons by month, and merges groups that are too small', async () => {
    for (let i = 0; i < 5; i++) await register(person('0171', 'Oslo'));
    await register(person('5627', 'Jondal'));
    await register(person('9008', 'Tromsø'));
    expect(await figures('customers', { by: ['region'] }, 2)).toEqual([
      { region: '01', persons: '5', mergedGroups: 0 },
      { region: null, persons: '2', mergedGroups: 2 },
    ]);
    expect(await figures('customers', { by: ['month', 'relationship', 'sector'] })).toEqual([
      { month: '2026-03', relationship: 'customer', sector: 'private', persons: '7', mergedGroups: 0 },
    ]);
  });

  it('measures service by kind and month', async () => {
    const id = await register(person('5627', 'Jondal'));
    const input = { customerId: id, kind: 'repair', item: { itemType: 'spindle' }, description: 'x' } as const;
    const { serviceCaseId } = await side.as('service-desk', 'kundehjelp', () =>
      new OpenServiceCaseHandler(side.ledger, policy, side.clock).execute(new OpenServiceCase(input)),
    );
    side.clock.set(new Date('2026-04-03T12:00:00Z'));
    await side.as('service-desk', 'kundehjelp', () =>
      new AdvanceServiceCaseHandler(side.ledger, side.clock).execute(new AdvanceServiceCase(serviceCaseId, 'closed')),
    );
    expect(await figures('service', { by: ['month', 'kind', 'status'] })).toEqual([
      {
        month: '2026-03',
        kind: 'repair',
        status: 'closed',
        cases: '1',
        closed: '1',
        reopened: '0',
        daysToClose: '3',
        mergedGroups: 0,
      },
    ]);
  });

  it('is byte for byte the same after an erasure, and after a rebuild', async () => {
    const id = await register(person('5627', 'Jondal'));
    await buy(id, '2026-01-15', '19.99', 'spindle', '3');
    const all = async () =>
      JSON.stringify(
        await Promise.all(
          (['sales', 'customers'] as const).map((subject) => figures(subject, { by: ['month', 'region'] })),
        ),
      );
    const before = await all();
    const rows = await side.rows(...TABLES);
    const erased = SubjectErased.of({
      ownerId: id,
      ownerKind: 'subject',
      categories: { contact: 1, purchase: 1 },
      retained: [],
    });
    await side.forget(subjectOwner(id), erased, { category: 'contact' }, { category: 'purchase' });
    expect(await all()).toBe(before);
    expect(await side.rebuilt(...TABLES)).toEqual(rows);
  });
});
