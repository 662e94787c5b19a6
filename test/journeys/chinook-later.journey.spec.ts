import type { Installation } from './installation.js';
import { eventually } from './installation.js';
import {
  customerIdOf,
  customers,
  dayOf,
  imported,
  importing,
  invoices,
  keptUntil,
  salesByMonth,
  webshopAt,
} from './chinook.js';

const TODAY = '2027-06-01';
const isPast = (category: 'purchase' | 'billing') => (invoice: (typeof invoices)[number]) =>
  keptUntil(category, invoice) < TODAY;

/** The same export, but so late that some of it may not be kept any more. What that is, the policy's periods say. */
describe(`Chinook on ${TODAY}`, () => {
  let makuler: Installation;
  beforeAll(async () => {
    makuler = await webshopAt(`${TODAY}T10:00:00Z`);
    await imported(importing(makuler, 'customers', undefined, '--json'));
  }, 90_000);
  afterAll(() => makuler.destroy(), 30_000);

  const past = { purchase: invoices.filter(isPast('purchase')), billing: invoices.filter(isPast('billing')) };

  it('is a day on which the rules cut through the file: some past one maximum, some past both, some past none', () => {
    expect(past.billing.length).toBeGreaterThan(0);
    expect(past.purchase.length).toBeGreaterThan(past.billing.length);
    expect(invoices.length).toBeGreaterThan(past.purchase.length);
  });

  it('stores no category past its maximum, and counts them', async () => {
    const summary = await imported(importing(makuler, 'purchases', undefined, '--json'));
    expect(summary).toMatchObject({
      ...{ read: invoices.length, created: invoices.length, rejected: 0 },
      notStored: { purchase: past.purchase.length, billing: past.billing.length },
    });
  }, 60_000);

  it('shows of each customer what may be kept, and nothing else', async () => {
    for (const customer of customers.slice(0, 12)) {
      const id = await customerIdOf(makuler, customer);
      const theirs = invoices.filter((invoice) => invoice['CustomerId'] === customer['CustomerId']);
      const days = async (purpose: string) => {
        const { body } = await makuler.get(`/v1/customers/${id}/purchases?limit=500`, { as: 'compliance', purpose });
        return (body.items as { day: string }[]).map(({ day }) => day).sort();
      };
      // The buyer of a company's purchases is the company; its contact person is shown the history, not the vouchers.
      expect(await days('kundehjelp')).toEqual(daysOf(theirs.filter((invoice) => !isPast('purchase')(invoice))));
      if (customer['Company'] === '')
        expect(await days('bokforing')).toEqual(daysOf(theirs.filter((invoice) => !isPast('billing')(invoice))));
    }
  }, 60_000);

  it('gives the analysts the same sums as ever', async () => {
    const sales = await eventually(
      () => makuler.get('/v1/analytics/sales?by=month', { as: 'analyst' }),
      ({ body }) => JSON.stringify(body.items) === JSON.stringify(salesByMonth()),
    );
    expect(sales.status).toBe(200);
  }, 60_000);

  it('adds nothing when it is run once more, also of the rows of which nothing could be kept', async () => {
    const summary = await imported(importing(makuler, 'purchases', undefined, '--json'));
    expect(summary).toMatchObject({ read: invoices.length, present: invoices.length, created: 0, rejected: 0 });
  }, 60_000);
});

const daysOf = (some: typeof invoices): string[] => some.map(dayOf).sort();
