import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { searchFiles } from './marks.js';

const MARK = 'Qvxzwqtr Åmærk';

describe('the search for marks', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'makuler-marks-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it.each([
    ['plain text', Buffer.from(`x ${MARK} y`)],
    ['lower case', Buffer.from(`x ${MARK.toLowerCase()} y`)],
    ['decomposed', Buffer.from(MARK.normalize('NFD'))],
    ['UTF-16', Buffer.from(`ab${MARK}`, 'utf16le')],
    ['JSON, ASCII only', Buffer.from('"Qvxzwqtr \\u00c5m\\u00e6rk"')],
    ['URL', Buffer.from(`?q=${encodeURIComponent(MARK)}`)],
    ['hex', Buffer.from(Buffer.from(MARK).toString('hex'))],
    ...[0, 1, 2].map((n): [string, Buffer] => [
      `base64 at offset ${n}`,
      Buffer.from(Buffer.from(`${'-'.repeat(n)}${MARK} and more`).toString('base64')),
    ]),
    ['across a chunk', Buffer.concat([Buffer.alloc(8 * 1024 * 1024 - 5), Buffer.from(MARK)])],
  ])('finds one in %s', async (_, bytes) => {
    await writeFile(join(directory, 'f'), bytes);
    expect((await searchFiles([directory], [MARK])).hits.length).toBeGreaterThan(0);
  });

  it('finds nothing where there is none', async () => {
    await writeFile(join(directory, 'f'), Buffer.alloc(9 * 1024 * 1024, 'Qvxz'));
    expect(await searchFiles([directory], [MARK])).toMatchObject({ hits: [], files: 1, bytes: 9 * 1024 * 1024 });
  });
});
