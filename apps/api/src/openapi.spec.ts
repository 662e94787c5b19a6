import { readFile } from 'node:fs/promises';
import { describeApi } from './create-api.js';

describe('docs/openapi.json', () => {
  it('refers to nothing that it does not have', async () => {
    const { components, ...document } = await describeApi();
    const references = JSON.stringify([document, components]).matchAll(/"\$ref":"#\/components\/schemas\/([^"]*)"/g);
    const known = Object.keys(components?.schemas ?? {});
    expect([...new Set([...references].map(([, name]) => name))].filter((name) => !known.includes(name!))).toEqual([]);
  });

  it('is what the code says: `npm run generate` leaves a clean diff', async () => {
    const committed: unknown = JSON.parse(await readFile('docs/openapi.json', 'utf8'));
    expect(JSON.parse(JSON.stringify(await describeApi()))).toEqual(committed);
  });
});
