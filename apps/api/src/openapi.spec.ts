import { readFile } from 'node:fs/promises';
import { describeApi } from './create-api.js';

describe('docs/openapi.json', () => {
  it('is what the code says: `npm run generate` leaves a clean diff', async () => {
    const committed: unknown = JSON.parse(await readFile('docs/openapi.json', 'utf8'));
    expect(JSON.parse(JSON.stringify(await describeApi()))).toEqual(committed);
  });
});
