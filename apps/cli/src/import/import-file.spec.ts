import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImportBody } from '#client';
import { importFile } from './import-file.js';
import type { Mapping } from './mapping.js';

const mapping: Mapping = {
  kind: 'customers',
  source: 'shop',
  key: 'Id',
  fields: { name: 'Name', since: { column: 'Since', date: 'YYYY-MM-DD' } },
};

describe('importing a file', () => {
  it('sends batches, counts every row once, and tells reasons without values', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'makuler-import-')), 'customers.csv');
    const lines = Array.from({ length: 250 }, (_, n) => `${n},Secret ${n},${n === 7 ? 'yesterday' : '2026-01-02'}`);
    await writeFile(file, ['Id,Name,Since', ...lines].join('\n'));
    const sent: ImportBody[] = [];
    const summary = await importFile({
      file,
      mapping,
      dryRun: false,
      progress: () => undefined,
      send: async (_kind, body) => {
        sent.push(body);
        return body.rows.map(({ line, key }) =>
          key === '9'
            ? {
                line,
                outcome: 'rejected',
                errors: [{ path: 'name', code: 'text', message: 'give text of 1 to 200 characters' }],
              }
            : {
                line,
                outcome: Number(key) < 100 ? 'present' : 'created',
                warnings: key === '11' ? ['phone-unknown'] : [],
              },
        );
      },
    });
    expect(sent.map((body) => body.rows.length)).toEqual([99, 100, 50]);
    expect(summary).toMatchObject({
      read: 250,
      created: 150,
      present: 98,
      rejected: 2,
      warnings: { 'phone-unknown': 1 },
    });
    const rejects = await readFile(summary.rejects!, 'utf8');
    expect(
      rejects
        .split('\n')
        .slice(0, 3)
        .map((l) => l.split(',')[0]),
    ).toEqual(['line', '9', '11']);
    expect(rejects).not.toMatch(/Secret|yesterday/);
    expect((await stat(summary.rejects!)).mode & 0o777).toBe(0o600);
  });

  it('makes smaller batches of long rows', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'makuler-import-')), 'customers.csv');
    const lines = Array.from({ length: 12 }, (_, n) => `${n},${'x'.repeat(100_000)},2026-01-02`);
    await writeFile(file, ['Id,Name,Since', ...lines].join('\n'));
    const sizes: number[] = [];
    const summary = await importFile({
      ...{ file, mapping, dryRun: false, progress: () => undefined },
      send: async (_kind, body) => {
        sizes.push(body.rows.length);
        return body.rows.map(({ line }) => ({ line, outcome: 'created' as const }));
      },
    });
    expect(sizes).toEqual([9, 3]);
    expect(summary.created).toBe(12);
  });
});
