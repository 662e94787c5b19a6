import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatOf, rowsOf } from './csv-file.js';
import { loadMapping, recordOf } from './mapping.js';
import type { ImportRow } from './records.js';
import { recordsOf } from './records.js';

const chinook = (name: string) => new URL(`../../../../examples/chinook/${name}`, import.meta.url).pathname;
const all = async (name: string, mapping: string) => {
  const rows: ImportRow[] = [];
  for await (const row of recordsOf(chinook(name), await loadMapping(chinook(mapping)), chinook('.'))) rows.push(row);
  return rows;
};

describe('reading an export', () => {
  it('maps all customers of Chinook, in 24 countries', async () => {
    const rows = await all('customers.csv', 'customers.yaml');
    expect(rows).toHaveLength(59);
    expect(rows.filter((row) => 'problem' in row)).toEqual([]);
    expect(rows[3]).toMatchObject({
      line: 5,
      key: '4',
      record: { name: 'Bjørn Hansen', address: { postalCode: '0171', city: 'Oslo', country: 'NO' } },
    });
  });

  it('joins the invoices with their lines, to the cent', async () => {
    const rows = await all('invoices.csv', 'invoices.yaml');
    const lines = rows.flatMap((row) => ('record' in row ? (row.record['lines'] as { unitPrice: string }[]) : []));
    expect(rows).toHaveLength(412);
    expect(lines).toHaveLength(2240);
    expect(rows[0]).toMatchObject({
      key: '1',
      customerKey: '2',
      record: {
        purchasedAt: '2020-12-31T23:00:00.000Z',
        invoice: { number: '1', date: '2021-01-01' },
        currency: 'USD',
      },
    });
  });

  it('finds out Latin-1 and semicolons, and keeps line numbers through quoted line breaks', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'makuler-csv-')), 'x.csv');
    await writeFile(file, Buffer.from('Navn;Merknad\n"Kåre";"to\nlinjer"\nÅse;én\n', 'latin1'));
    const format = await formatOf(file);
    const rows = [];
    for await (const row of rowsOf(file, format)) rows.push(row);
    expect(format).toEqual({ encoding: 'latin1', delimiter: ';' });
    expect(rows).toEqual([
      { line: 2, columns: { Navn: 'Kåre', Merknad: 'to\nlinjer' } },
      { line: 4, columns: { Navn: 'Åse', Merknad: 'én' } },
    ]);
  });

  it('says which field a value does not fit, never the value', () => {
    expect(() => recordOf({ 'address.country': { column: 'C', as: 'country' } }, { C: 'Secretland' })).toThrow(
      /^(?!.*Secretland).*address\.country/,
    );
    expect(() => recordOf({ day: { column: 'D', date: 'DD.MM.YYYY' } }, { D: '31.02.2026' })).toThrow('no such day');
  });

  it('takes summer and winter time', () => {
    const at = (d: string) => recordOf({ t: { column: 'D', date: 'YYYY-MM-DD HH:mm' } }, { D: d })['t'];
    expect([at('2026-07-01 12:00'), at('2026-01-01 12:00')]).toEqual([
      '2026-07-01T10:00:00.000Z',
      '2026-01-01T11:00:00.000Z',
    ]);
  });
});
