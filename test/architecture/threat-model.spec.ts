import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const testsBelow = async (directory: string): Promise<string[]> =>
  (await readdir(join(ROOT, directory), { recursive: true }))
    .filter((path) => /\.(spec|suite)\.ts$/.test(path) && !path.includes('node_modules'))
    .map((path) => join(ROOT, directory, path));

/** A promise in the threat model that no test keeps would be a wish. */
describe('the threat model', () => {
  it('names in every row a test that is there', async () => {
    const text = await readFile(join(ROOT, 'docs/threat-model.md'), 'utf8');
    const files = (await Promise.all(['apps', 'libs', 'test'].map(testsBelow))).flat();
    const rows = text.split('\n').filter((line) => line.startsWith('|') && !/^\| (-|somebody)/.test(line));
    expect(rows.length).toBeGreaterThan(15);
    const missing: string[] = [];
    for (const row of rows) {
      const named = [...row.matchAll(/`([\w.-]+)`: _([^_]+)_/g)];
      if (named.length === 0) missing.push(row);
      for (const [, file, claim] of named) {
        const those = files.filter((path) => basename(path).startsWith(`${file}.`));
        const found = await Promise.all(those.map(async (path) => (await readFile(path, 'utf8')).includes(claim!)));
        if (!found.includes(true)) missing.push(`${file}: ${claim}`);
      }
    }
    expect(missing).toEqual([]);
  });
});
