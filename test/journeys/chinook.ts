import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Big from 'big.js';
import { parse as parseCsv } from 'csv-parse/sync';
import { parse as parseYaml } from 'yaml';
import { Installation, ROOT } from './installation.js';

export const CHINOOK = join(ROOT, 'examples/chinook');
const CLI = join(ROOT, 'dist/apps/cli/src/main.js');

type Row = Readonly<Record<string, string>>;
const rowsOf = (name: string): readonly Row[] =>
  parseCsv(readFileSync(join(CHINOOK, name)), { columns: true }) as Row[];

export const customers = rowsOf('customers.csv');
export const invoices = rowsOf('invoices.csv');
export const invoiceLines = rowsOf('invoice_lines.csv');
const invoiceOf = new Map(invoices.map((invoice) => [invoice['InvoiceId']!, invoice]));

/** The day of an invoice; the export's times are all midnight in local time. */
export const dayOf = (invoice: Row): string => invoice['InvoiceDate']!.slice(0, 10);

/** Sales by month straight from the files: exact sums of price × quantity, and how many purchases and lines. */
export const salesByMonth = (): readonly object[] => {
  const months = new Map<string, { purchases: Set<string>; lines: number; quantity: Big; amount: Big }>();
  for (const line of invoiceLines) {
    const month = dayOf(invoiceOf.get(line['InvoiceId']!)!).slice(0, 7);
    const sum = months.get(month) ?? { purchases: new Set(), lines: 0, quantity: Big(0), amount: Big(0) };
    sum.purchases.add(line['InvoiceId']!);
    months.set(month, {
      purchases: sum.purchases,
      lines: sum.lines + 1,
      quantity: sum.quantity.plus(line['Quantity']!),
      amount: sum.amount.plus(Big(line['UnitPrice']!).times(line['Quantity']!)),
    });
  }
  return [...months.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([month, { purchases, lines, quantity, amount }]) => ({
      ...{ month, currency: 'USD', purchases: String(purchases.size), lines: String(lines) },
      ...{ quantity: quantity.toString(), amount: amount.toFixed(2), mergedGroups: 0 },
    }));
};

interface Rule {
  readonly category: string;
  readonly trigger: string;
  readonly maximum: string;
}
const manifest = parseYaml(readFileSync(join(ROOT, 'policy/webshop/manifest.yaml'), 'utf8')) as {
  readonly retention: readonly Rule[];
  readonly calendar: { readonly fiscalYearEnd: string };
};

/** Whole years of a rule's maximum: the two that matter here are written so. */
const yearsOf = (category: string): number => {
  const years = /^P(\d+)Y$/.exec(manifest.retention.find((rule) => rule.category === category)!.maximum)?.[1];
  if (years === undefined) throw new Error(`the maximum of ${category} is not in whole years`);
  return Number(years);
};

/** The last day on which a category of a purchase is kept, by the policy and the date in the file. 29 February counts as the 28th. */
export const keptUntil = (category: 'purchase' | 'billing', invoice: Row): string => {
  const day = dayOf(invoice);
  const { fiscalYearEnd } = manifest.calendar;
  const fiscalYear = Number(day.slice(0, 4)) + (day.slice(5) > fiscalYearEnd ? 1 : 0);
  const [year, rest] = category === 'billing' ? [fiscalYear, fiscalYearEnd] : [Number(day.slice(0, 4)), day.slice(5)];
  return `${year + yearsOf(category)}-${rest === '02-29' ? '02-28' : rest}`;
};

/** An installation of the web shop's policy on a clock of our own (test/mains, which `npm run test:journeys` compiles). */
export const webshopAt = async (instant: string): Promise<Installation> => {
  const installation = await Installation.create({ policy: 'policy/webshop', main: 'dist/test/mains/up.js' });
  await startAt(installation, instant);
  return installation;
};
export const startAt = (installation: Installation, instant: string): Promise<void> =>
  installation.start([], { MAKULER_TEST_CLOCK: instant });

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
/** A `makuler` command that runs. */
export interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when the command has said this much on standard error. */
  said(pattern: RegExp): Promise<void>;
}

export const makuler = (installation: Installation, ...parameters: string[]): Running => {
  const child = spawn(process.execPath, [CLI, ...parameters, '--home', installation.home], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
  const said = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => void (pattern.test(stderr) && resolve());
      child.stderr.on('data', look);
      void ended.then(() => reject(new Error(`it ended without saying so:\n${stderr}${stdout}`)));
      look();
    });
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return { process: child, ended, said };
};

/** Imports one of Chinook's files, or another of the same form. */
export const importing = (
  installation: Installation,
  kind: 'customers' | 'purchases',
  file: string = join(CHINOOK, kind === 'customers' ? 'customers.csv' : 'invoices.csv'),
  ...flags: string[]
): Running => {
  const mapping = join(CHINOOK, kind === 'customers' ? 'customers.yaml' : 'invoices.yaml');
  return makuler(installation, 'import', kind, file, '--mapping', mapping, ...flags);
};

/** Imports to the end and gives the summary. Throws with what it said when it did not succeed. */
export const imported = async (running: Running): Promise<Record<string, any>> => {
  const { code, stdout, stderr } = await running.ended;
  if (code !== 0) throw new Error(`the import ended with ${code}:\n${stdout}${stderr}`);
  return JSON.parse(stdout) as Record<string, any>;
};

/** The id of Chinook's customer, as compliance staff find it. */
export const customerIdOf = async (installation: Installation, customer: Row): Promise<string> => {
  const compliance = installation.client('compliance', 'rettigheter');
  const { items } = (await compliance.post('/v1/customers/search', { body: { email: customer['Email']! } })).body;
  if (items.length !== 1) throw new Error(`one customer was expected, and not ${items.length}`);
  return items[0]!.customerId;
};
