import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { eventsOf } from './log-part.js';
import { decodeManifest, encodeManifest } from './manifest.js';
import { readRows } from './row-parts.js';
import { verifySet } from './set-directory.js';

const SET = fileURLToPath(new URL('../../../test/vectors/backup/1', import.meta.url));

/** The set in test/vectors/backup is never changed: what was written years ago must be read. */
describe('the frozen set', () => {
  it('is whole, and its manifest is made the same today', async () => {
    const manifest = await verifySet(SET);
    expect(encodeManifest(manifest)).toBe(readFileSync(`${SET}/manifest.json`, 'utf8'));
    expect(manifest).toMatchObject({ version: 1, vault: { mintSequence: '9007199254740993', epoch: 3 } });
  });

  it('gives its events, as they were appended', async () => {
    const found = [];
    for await (const events of eventsOf(SET, await verifySet(SET))) found.push(...events);
    expect(found.map(({ stream, revision, type }) => [stream.split('-')[0], revision, type])).toEqual([
      ['customer', 0n, 'customer.registered'],
      ['purchase', 0n, 'purchase.recorded'],
      ['customer', 1n, 'subject.erased'],
    ]);
    expect(found[1]!.data).toEqual({ day: '2026-11-23', kind: 'é ø \u2028', amount: 1200.5 });
  });

  it('gives its rows, with every digit', async () => {
    const manifest = await verifySet(SET);
    const { header, rows } = await readRows<object>(
      SET,
      manifest.parts.find(({ kind }) => kind === 'vault')!,
    );
    expect(header).toMatchObject({ schema: ['001-vault'], tables: ['vault', 'scope'], epoch: 3 });
    const found = [];
    for await (const { table, rows: some } of rows) found.push([table, some]);
    expect(found.map(([table, some]) => [table, some!.length])).toEqual([
      ['vault', 1],
      ['scope', 2],
    ]);
    expect(found[0]![1]![0]).toContain('"mint_sequence":9007199254740993,');
  });

  it('is refused with a member more, less or otherwise', () => {
    const text = readFileSync(`${SET}/manifest.json`, 'utf8');
    const stored = JSON.parse(text) as Record<string, unknown>;
    const code = (changed: string) => {
      try {
        decodeManifest(changed);
        return 'read';
      } catch (error) {
        return (error as { code?: string }).code;
      }
    };
    expect(code(text)).toBe('read');
    for (const [name, value] of Object.entries(stored).filter(([member]) => member !== 'version'))
      for (const changed of [undefined, null, `${JSON.stringify(value)} `])
        expect([name, code(JSON.stringify({ ...stored, [name]: changed }))]).toEqual([name, 'backup-damaged']);
    expect(code(JSON.stringify({ ...stored, more: 1 }))).toBe('backup-damaged');
    expect(code(JSON.stringify({ ...stored, version: 2 }))).toBe('backup-newer');
    for (const nothing of ['', '{', 'null', '[]', '"set"']) expect(code(nothing)).toBe('backup-damaged');
  });
});
