import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { imported, importing } from '../journeys/chinook.js';
import type { Bench } from './bench.js';
import { timed } from './bench.js';
import { personOf } from './business.js';
import { withSystem } from './running-system.js';

const CUSTOMERS = 3_000;
const INVOICES = 3_000;
const LINES = 3;
const CUSTOMER_COLUMNS =
  'CustomerId,FirstName,LastName,Company,Address,City,State,Country,PostalCode,Phone,Fax,Email,SupportRepId';

/** Files of the form of examples/chinook, from the command line to the last row's answer. */
export const imports: Bench = {
  name: 'imports',
  about: 'makuler import: rows per second',
  run: (report, { scale }) =>
    withSystem(async ({ installation }) => {
      const [people, sales] = [Math.ceil(CUSTOMERS * scale), Math.ceil(INVOICES * scale)];
      const file = async (name: string, header: string, rows: readonly string[]) => {
        const path = join(installation.directory, name);
        await writeFile(path, `${[header, ...rows].join('\n')}\n`);
        return path;
      };
      const customers = await file('customers.csv', CUSTOMER_COLUMNS, numbered(people).map(customerRow));
      const invoices = await file(
        'invoices.csv',
        'InvoiceId,CustomerId,InvoiceDate,Total',
        numbered(sales).map((n) => `${n},${1 + (n % people)},2025-03-04T00:00:00,1.98`),
      );
      await file(
        'invoice_lines.csv',
        'InvoiceLineId,InvoiceId,TrackId,UnitPrice,Quantity,Item,ItemType',
        numbered(sales * LINES).map((n) => `${n},${Math.ceil(n / LINES)},${n},0.99,1,Song ${n},Rock`),
      );
      const run = async (kind: 'customers' | 'purchases', path: string, rows: number, what: string) => {
        const ms = await timed(() => imported(importing(installation, kind, path, '--json')));
        report.row(what, (rows / ms) * 1_000, '/s', what.endsWith('again') ? what.replace(' again', '') : undefined);
      };
      await run('customers', customers, people, 'customers');
      await run('customers', customers, people, 'customers again');
      await run('purchases', invoices, sales, 'purchases');
      await run('purchases', invoices, sales, 'purchases again');
    }),
};

const numbered = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

const customerRow = (n: number): string => {
  const { name, phone, email } = personOf(n);
  const [first, last] = name.split(' ');
  return `${n},${first},${last},,Storgata ${n},Oslo,,Norway,0155,${phone},,${email},3`;
};
