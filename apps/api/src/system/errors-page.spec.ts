import { readFile } from 'node:fs/promises';
import { ERRORS } from '#kernel';
import { errorsPage } from './errors-page.js';

describe('docs/errors.md', () => {
  it('says of every code what the program says, and of no other', async () => {
    const page = await readFile('docs/errors.md', 'utf8');
    expect(page).toBe(errorsPage());
    expect([...page.matchAll(/^\| \d+ \| `([^`]+)`/gm)].map(([, code]) => code).toSorted()).toEqual(
      Object.keys(ERRORS).toSorted(),
    );
  });
});
