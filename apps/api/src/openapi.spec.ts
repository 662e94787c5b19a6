import { readFile } from 'node:fs/promises';
import { describeApi } from './create-api.js';

const METHODS = ['get', 'post', 'patch', 'put', 'delete'] as const;

describe('docs/openapi.json', () => {
  it('refers to nothing that it does not have', async () => {
    const { components, ...document } = await describeApi();
    const references = JSON.stringify([document, components]).matchAll(/"\$ref":"#\/components\/schemas\/([^"]*)"/g);
    const known = Object.keys(components?.schemas ?? {});
    expect([...new Set([...references].map(([, name]) => name))].filter((name) => !known.includes(name!))).toEqual([]);
  });

  it('has a form for the body of every success, and a name of its own for every operation', async () => {
    const operations = Object.entries((await describeApi()).paths).flatMap(([path, item]) =>
      METHODS.flatMap((method) => (item[method] ? [{ route: `${method} ${path}`, ...item[method] }] : [])),
    );
    const formless = operations.flatMap(({ route, responses }) =>
      Object.entries(responses)
        .filter(([, answer]) => !(answer && 'content' in answer && Object.values(answer.content!)[0]?.schema))
        .map(([status]) => `${route} ${status}`),
    );
    expect(formless).toEqual([]);
    const names = operations.map(({ operationId }) => operationId);
    expect(names.length).toBeGreaterThan(50);
    expect(new Set(names).size).toBe(names.length);
  });

  it('is what the code says: `npm run generate` leaves a clean diff', async () => {
    const committed: unknown = JSON.parse(await readFile('docs/openapi.json', 'utf8'));
    expect(JSON.parse(JSON.stringify(await describeApi()))).toEqual(committed);
  });
});
