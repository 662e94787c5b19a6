import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BehindTheApi } from '../faults/behind-the-api.js';
import type { Installation } from './installation.js';
import { eventually } from './installation.js';
import { CHINOOK, customers, imported, importing, invoices, salesByMonth, webshopAt } from './chinook.js';

/** A shop's export that nobody here wrote, through the command line into the whole system, with accidents on the way. */
describe('Chinook at the end of 2025', () => {
  let makuler: Installation;
  let behind: BehindTheApi;
  beforeAll(async () => {
    makuler = await webshopAt('2025-12-31T11:00:00Z');
    behind = await BehindTheApi.of(makuler);
  }, 90_000);
  afterAll(async () => {
    await behind.close();
    await makuler.destroy();
  }, 30_000);

  const sales = () => makuler.get('/v1/analytics/sales?by=month', { as: 'analyst' });
  /** How many events of each type the log holds, but for what the system notes of itself. */
  const written = async () => {
    const counts: Record<string, number> = {};
    for (const { type } of await behind.log())
      if (/^(customer|company|purchase|service)\./.test(type)) counts[type] = (counts[type] ?? 0) + 1;
    return counts;
  };

  it('says beforehand what would be created, and stores nothing', async () => {
    const summary = await imported(importing(makuler, 'customers', undefined, '--dry-run', '--json'));
    expect(summary).toMatchObject({ read: 59, created: 59, rejected: 0, dryRun: true });
    const again = await imported(importing(makuler, 'customers', undefined, '--dry-run', '--json'));
    expect(again).toMatchObject({ created: 59, present: 0 });
  }, 60_000);

  it('explains every row that it does not take, by line and reason, and takes the others', async () => {
    const file = join(makuler.directory, 'some.csv');
    const [heading, first, second, third] = (await readFile(join(CHINOOK, 'customers.csv'), 'utf8')).split('\n');
    const nowhere = second!.replace('Germany', 'Atlantis').replace(/^2,/, '1002,');
    const mail = third!.replace(/[^,]+@[^,]+/, 'no-address').replace(/^3,/, '1003,');
    await writeFile(file, [heading, first, nowhere, mail].join('\n'));
    const { code, stdout } = await importing(makuler, 'customers', file, '--json').ended;
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ read: 3, created: 1, present: 0, rejected: 2 });
    const rejects = await readFile(`${file}.rejects.csv`, 'utf8');
    expect(rejects).toMatch(/^line,reason\n3,"address\.country: [^\n]*\n4,"email: [^\n]*\n$/);
    expect(rejects).not.toMatch(/Atlantis|no-address/);
  }, 60_000);

  it('imports all customers; the one who is there is not added twice', async () => {
    const summary = await imported(importing(makuler, 'customers', undefined, '--json'));
    expect(summary).toMatchObject({ read: 59, created: 58, present: 1, rejected: 0 });
  }, 60_000);

  it('refuses purchases of customers who were not imported, and says so', async () => {
    const file = join(makuler.directory, 'invoices.csv');
    const [heading, first] = (await readFile(join(CHINOOK, 'invoices.csv'), 'utf8')).split('\n');
    await writeFile(file, [heading, first!.replace(/^1,2,/, '1,999,')].join('\n'));
    await copyFile(join(CHINOOK, 'invoice_lines.csv'), join(makuler.directory, 'invoice_lines.csv'));
    const { code } = await importing(makuler, 'purchases', file, '--json').ended;
    expect(code).toBe(1);
    expect(await readFile(`${file}.rejects.csv`, 'utf8')).toContain('import the customers first');
  }, 60_000);

  /** Waits until so many purchases stand in the log, in the midst of an import. */
  const recorded = (count: number) =>
    eventually(
      () =>
        behind.database('events').query(`select count(*)::integer as n from event where type = 'purchase.recorded'`),
      ({ rows }) => rows[0].n >= count,
    );

  it('killed, interrupted, and with the api killed under it, it ends in the end with everything there once', async () => {
    const killed = importing(makuler, 'purchases');
    await recorded(40);
    killed.process.kill('SIGKILL');
    await killed.ended;
    const interrupted = importing(makuler, 'purchases');
    await recorded(140);
    interrupted.process.kill('SIGINT');
    expect(await interrupted.ended).toMatchObject({ code: 1, stdout: expect.stringContaining('Interrupted') });
    const last = importing(makuler, 'purchases');
    await recorded(240);
    await makuler.signal('api', 'SIGKILL');
    // The api went while a batch was under way; the command waits for it and sends the same batch again.
    const { code, stdout, stderr } = await last.ended;
    expect([code, stdout, stderr]).toEqual([0, expect.stringContaining('412 purchases read'), expect.any(String)]);
    expect(stderr).toContain('waiting: Nobody answers');
    const counted = /(\d+) created\n\s+(\d+) present/.exec(stdout)!.slice(1).map(Number);
    expect(counted[0]! + counted[1]!).toBe(invoices.length);
    expect(counted[1]).toBeGreaterThan(100);
    expect(await written()).toMatchObject({
      ...{ 'customer.registered': customers.length, 'customer.activity-noted': invoices.length },
      ...{ 'purchase.recorded': invoices.length, 'purchase.invoiced': invoices.length },
    });
  }, 90_000);

  it('gives the analysts the sums of the files, month by month, to the cent', async () => {
    const reached = await eventually(sales, ({ body }) => total(body.items) === invoices.length);
    expect(reached.body.items).toEqual(salesByMonth());
  }, 60_000);

  it('adds nothing when it is run once more', async () => {
    const before = await written();
    expect(await imported(importing(makuler, 'customers', undefined, '--json'))).toMatchObject({
      present: 59,
      created: 0,
    });
    expect(await imported(importing(makuler, 'purchases', undefined, '--json'))).toMatchObject({
      ...{ read: 412, present: 412, created: 0, rejected: 0 },
    });
    expect(await written()).toEqual(before);
  }, 60_000);
});

const total = (items: readonly { readonly purchases: string }[]): number =>
  items.reduce((sum, { purchases }) => sum + Number(purchases), 0);
