import { BehindTheApi } from '../faults/behind-the-api.js';
import { rebuiltElsewhere } from '../faults/rebuilt-elsewhere.js';
import { MAY_BE_SHARED, SHARED_BY_CHANCE, sharedAcrossStreams } from '../faults/shared-across-streams.js';
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
  makuler as command,
  salesByMonth,
  startAt,
  webshopAt,
} from './chinook.js';

const TODAY = '2025-12-31';
const RIGHTS = { as: 'compliance', purpose: 'rettigheter' } as const;
const BOOKS = { as: 'compliance', purpose: 'bokforing' } as const;

/** A private customer of Chinook, and everything of theirs that must not be read again. */
const KOHLER = customers.find((customer) => customer['LastName'] === 'Köhler')!;
const THEIRS = invoices.filter((invoice) => invoice['CustomerId'] === KOHLER['CustomerId']);
const ERASED = [KOHLER['LastName']!, KOHLER['Email']!, KOHLER['Address']!, '+497112842222'];

/** Forgetting one of those whom an import brought: plan, approval, execution, and everywhere one could look afterwards. */
describe('forgetting a customer of Chinook', () => {
  let makuler: Installation;
  let behind: BehindTheApi;
  let customerId: string;
  let figuresBefore: string;
  /** Purchases by the day of the invoice, found while they could be. */
  const purchaseOn = new Map<string, string>();

  const lookBehind = async () => {
    await behind?.close();
    behind = await BehindTheApi.of(makuler);
  };
  /** What analysts see, of everything, as it is sent. */
  const figures = async () => {
    const paths = ['sales?by=month', 'sales?by=itemType,region', 'customers?by=month', 'service?by=month'];
    const replies = await Promise.all(paths.map((path) => makuler.get(`/v1/analytics/${path}`, { as: 'analyst' })));
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    return replies.map(({ text }) => text).join('\n');
  };
  /** Categories of which a key of this person lives. */
  const held = async () => {
    const { body } = await makuler.get(`/v1/customers/${customerId}/holdings`, RIGHTS);
    const rows = body.items as { category: string; state: string }[];
    return [...new Set(rows.filter(({ state }) => state !== 'shredded').map(({ category }) => category))];
  };
  const invoiceOn = async (day: string) =>
    (await makuler.get(`/v1/purchases/${purchaseOn.get(day)}`, BOOKS)).body.invoice;

  beforeAll(async () => {
    makuler = await webshopAt(`${TODAY}T11:00:00Z`);
    await lookBehind();
    await imported(importing(makuler, 'customers', undefined, '--json'));
    await imported(importing(makuler, 'purchases', undefined, '--json'));
    await makuler.post('/v1/clock/confirm', {}, { as: 'operator' });
    await eventually(
      () => makuler.get('/v1/analytics/sales?by=month', { as: 'analyst' }),
      ({ body }) => JSON.stringify(body.items) === JSON.stringify(salesByMonth()),
    );
    customerId = await customerIdOf(makuler, KOHLER);
    const { body } = await makuler.get(`/v1/customers/${customerId}/purchases?limit=500`, BOOKS);
    for (const { day, purchaseId } of body.items) purchaseOn.set(day, purchaseId);
    figuresBefore = await figures();
  }, 120_000);
  afterAll(async () => {
    await behind.close();
    await makuler.destroy();
  }, 60_000);

  it('plans to shred now what nothing keeps, and to retain each voucher until the date of the Bookkeeping Act', async () => {
    expect([...purchaseOn.keys()].sort()).toEqual(THEIRS.map(dayOf).sort());
    const plan = await makuler.post('/v1/erasures', { customerId, ground: 'subject-request' }, RIGHTS);
    expect([plan.status, plan.text]).toEqual([201, expect.any(String)]);
    const { erasureId, planHash, items } = plan.body as {
      erasureId: string;
      planHash: string;
      items: { category: string; action: string; until?: string; law?: string }[];
    };
    const of = (action: string) => items.filter((item) => item.action === action);
    expect(new Set(of('shred').map(({ category }) => category))).toEqual(
      new Set(['contact', 'relation', 'purchase', 'trace', 'request']),
    );
    expect(of('retain').map(({ category, until, law }) => ({ category, until, law }))).toEqual(
      expect.arrayContaining(
        THEIRS.map((invoice) => ({
          category: 'billing',
          until: keptUntil('billing', invoice),
          law: 'Bokføringsloven § 13',
        })),
      ),
    );
    expect(items).toHaveLength(of('shred').length + of('retain').length);
    expect(of('retain')).toHaveLength(THEIRS.length);

    const path = `/v1/erasures/${erasureId}`;
    const approving = { as: 'approver', purpose: 'rettigheter' } as const;
    expect((await makuler.post(`${path}/approve`, { planHash }, approving)).status).toBe(200);
    expect((await makuler.post(`${path}/execute`, {}, RIGHTS)).status).toBe(202);
    const done = await eventually(
      () => makuler.get(path, { as: 'auditor' }),
      ({ body }) => body?.state === 'erased',
    );
    expect(done.body).toMatchObject({ liveErasedAt: expect.any(String), backupsClearedBy: expect.any(String) });
    expect(await held()).toEqual(['billing']);
  }, 90_000);

  it('answers on no route with an erased value, whoever asks and why; the invoices alone, and those who keep the books', async () => {
    const asking = [
      ...['avtale', 'kundehjelp', 'rettigheter'].map((purpose) => ({ as: 'compliance' as const, purpose })),
      ...['avtale', 'kundehjelp', 'bokforing'].map((purpose) => ({ as: 'service-desk' as const, purpose })),
      ...['avtale', 'tilgang'].map((purpose) => ({ as: 'integrator' as const, purpose })),
      { as: 'auditor' as const, purpose: 'rettigheter' },
      { as: 'analyst' as const, purpose: 'bokforing' },
      { as: 'operator' as const, purpose: 'rettigheter' },
    ];
    const { body: document } = await makuler.get('/openapi.json', { as: 'nobody' });
    const erasures = await makuler.get('/v1/erasures', { as: 'compliance' });
    const ids = [customerId, ...[...purchaseOn.values()].slice(0, 2), erasures.body.items[0].erasureId];
    const routes = Object.entries(document.paths as Record<string, object>)
      .filter(([, methods]) => 'get' in methods)
      .flatMap(([path]) => (path.includes('{') ? ids.map((id) => path.replace(/\{\w+\}/, id)) : [path]));
    expect(routes.length).toBeGreaterThan(30);
    const questions = asking.flatMap((options) => routes.map((route) => [route, options] as const)).values();
    const found: unknown[] = [];
    let answered = 0;
    const ask = async () => {
      for (const [route, options] of questions) {
        const { status, text } = await makuler.get(route, options);
        if (status === 200) answered++;
        if (ERASED.some((value) => text.includes(value))) found.push([route, options]);
      }
    };
    await Promise.all([ask(), ask(), ask(), ask()]);
    expect(found).toEqual([]);
    expect(answered).toBeGreaterThan(50);
    for (const question of [{ email: KOHLER['Email'] }, { phone: '+497112842222' }, { name: 'Köhler' }]) {
      const { status, body } = await makuler.post('/v1/customers/search', question, RIGHTS);
      expect([status, body.items]).toEqual([200, []]);
    }
    for (const invoice of THEIRS)
      expect(await invoiceOn(dayOf(invoice))).toMatchObject({
        number: invoice['InvoiceId'],
        buyer: { name: 'Leonie Köhler', address: { street: KOHLER['Address'] } },
      });
    // All this reading left traces, and no new key of theirs.
    expect(await held()).toEqual(['billing']);
  }, 90_000);

  it('plans nothing about somebody who was never known, and keeps nothing under such an id', async () => {
    const nobody = '019b71b4-4c00-7001-92da-a8ca05e6af91';
    const planned = await makuler.post('/v1/erasures', { customerId: nobody, ground: 'subject-request' }, RIGHTS);
    expect([planned.status, planned.body.code]).toEqual([404, 'not-found']);
    for (const path of [`/v1/customers/${nobody}/holdings`, `/v1/companies/${customerId}/holdings`])
      expect((await makuler.get(path, RIGHTS)).status).toBe(404);
  }, 30_000);

  it('leaves nothing in the log that opens, but the invoices', async () => {
    const { ledger } = await behind.parts();
    const head = await ledger.head();
    const types = new Map<string, number>();
    for await (const { events, position } of ledger.subscribe({})) {
      for (const { type, data } of events) {
        const opened = JSON.stringify(revealed(data));
        if (ERASED.some((value) => opened.includes(value))) types.set(type, (types.get(type) ?? 0) + 1);
      }
      if (position >= head) break;
    }
    expect([...types]).toEqual([['purchase.invoiced', THEIRS.length]]);
    const inClear = (await behind.log()).map(({ data, metadata }) => JSON.stringify([data, metadata])).join('\n');
    expect(ERASED.filter((value) => inClear.includes(value))).toEqual([]);
  }, 60_000);

  it('joins no two streams of theirs: log and vault share no value between them that is not listed with its reason', async () => {
    const streams = [`customer-${customerId}`, ...[...purchaseOn.values()].map((id) => `purchase-${id}`)];
    expect(await sharedAcrossStreams(behind, streams)).toEqual([]);
    // The search sees: without the list it finds what is on it, and nothing is listed that it doesn't find.
    const places = (await sharedAcrossStreams(behind, streams, {})).flatMap((shared) => shared.places);
    expect([...new Set([...places, ...SHARED_BY_CHANCE])].sort()).toEqual(Object.keys(MAY_BE_SHARED).sort());
  }, 60_000);

  it('comes out the same when every read model is built again, beside the live one and in an empty database', async () => {
    const { code, stderr } = await command(makuler, 'rebuild', '--json').ended;
    expect([code, stderr]).toEqual([0, '']);
    expect((await makuler.get(`/v1/customers/${customerId}`, RIGHTS)).body).toMatchObject({
      name: { $state: 'erased' },
    });
    expect((await makuler.get(`/v1/customers/${customerId}/purchases`, RIGHTS)).body.items).toEqual([]);
    expect(await held()).toEqual(['billing']);
    const { live, rebuilt } = await rebuiltElsewhere(behind);
    expect(rebuilt).toEqual(live);
    const rows = JSON.stringify(Object.entries(rebuilt).filter(([table]) => !table.startsWith('purchase_history')));
    expect(ERASED.filter((value) => rows.includes(value))).toEqual([]);
    expect(await figures()).toBe(figuresBefore);
  }, 90_000);

  it('is backed up so that every other block opens again, and nothing is gone that the log does not explain', async () => {
    const sets = `${makuler.directory}/sets`;
    const taken = await command(makuler, 'backup', sets, '--json').ended;
    expect([taken.code, taken.stderr]).toEqual([0, expect.any(String)]);
    const { set, events } = JSON.parse(taken.stdout);
    const { code, stdout } = await command(makuler, 'drill', set, '--json').ended;
    const log = await behind.log();
    const isInSet = new Set(
      log
        .filter(({ type }) => !type.startsWith('$'))
        .slice(0, events)
        .map(({ id }) => id),
    );
    const sealed = log.filter(({ id }) => isInSet.has(id)).map(({ data }) => Object.keys(data['$sealed'] ?? {}).length);
    const blocks = sealed.reduce((sum, count) => sum + count, 0);
    const report = JSON.parse(stdout);
    expect([code, report]).toMatchObject([
      0,
      {
        passed: true,
        events,
        risen: 0,
        blocks: { lost: 0, failed: {} },
        keys: { duringBackup: 0, since: 0, unexplained: 0 },
      },
    ]);
    expect(report.blocks.opened + report.blocks.shredded).toBe(blocks);
    expect(report.keys.shredded).toBe(report.keys.forgotten);
    expect([report.keys.forgotten > 0, report.blocks.opened > 1_000]).toEqual([true, true]);
  }, 90_000);

  it('withholds an invoice from the day after its date, and an approved sweep destroys it then', async () => {
    const first = THEIRS.filter((invoice) => keptUntil('billing', invoice) === '2026-12-31').map(dayOf);
    const later = THEIRS.filter((invoice) => keptUntil('billing', invoice) > '2026-12-31').map(dayOf);
    expect([first.length, later.length].every((count) => count > 0)).toBe(true);
    await makuler.stop();
    await startAt(makuler, '2027-01-01T11:00:00Z');
    await lookBehind();
    for (const day of first) expect(await invoiceOn(day)).toEqual({ $state: 'withheld', reason: 'expired' });
    // A year has passed in a moment: nothing is destroyed before somebody has looked at the clock.
    const early = await makuler.post('/v1/retention/sweeps', {}, RIGHTS);
    expect([early.status, early.body.code]).toEqual([503, 'clock-implausible']);
    expect((await makuler.post('/v1/clock/confirm', {}, { as: 'operator' })).status).toBe(200);
    const planned = await makuler.post('/v1/retention/sweeps', {}, RIGHTS);
    expect([planned.status, planned.body]).toMatchObject([202, { state: 'planned', reason: 'large' }]);
    const path = `/v1/retention/sweeps/${planned.body.sweepId}`;
    const approving = { as: 'approver', purpose: 'rettigheter' } as const;
    expect((await makuler.post(`${path}/approve`, {}, approving)).status).toBe(200);
    await eventually(
      () => makuler.get(path, RIGHTS),
      ({ body }) => body?.state === 'finished',
      150_000,
    );
    for (const day of first)
      await eventually(
        () => invoiceOn(day),
        (invoice) => invoice?.$state === 'erased',
      );
    for (const day of later) expect(await invoiceOn(day)).toMatchObject({ buyer: { name: 'Leonie Köhler' } });
    expect(await figures()).toBe(figuresBefore);
  }, 240_000);
});

/** Opened fields as JSON: the value, or what stands in its place. */
const revealed = (data: object): object =>
  Object.fromEntries(
    Object.entries(data).map(([name, field]) => [name, typeof field?.reveal === 'function' ? field.reveal() : field]),
  );
