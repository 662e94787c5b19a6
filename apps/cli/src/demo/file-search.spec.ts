import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { searchFiles } from './file-search.js';

const MARK = 'Torbjørg Prøvemerke';
const PART_BYTES = 4_194_304;

describe('the search of files', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'makuler-search-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const hitsIn = async (content: Buffer | string) => {
    await mkdir(join(directory, 'deep/er'), { recursive: true });
    await writeFile(join(directory, 'deep/er/file'), content);
    return (await searchFiles(directory, [MARK])).hits.get(MARK);
  };

  it('finds a text as given and in small letters, as UTF-8 and as UTF-16', async () => {
    for (const text of [MARK, MARK.toLowerCase()])
      for (const encoding of ['utf8', 'utf16le'] as const)
        expect(await hitsIn(Buffer.from(`--${text}--`, encoding))).toBe(1);
    expect(await hitsIn('Torbjørg Prøve')).toBe(0);
  });

  it('finds a text that lies across the border of two parts, wherever it is cut', async () => {
    const { length } = Buffer.from(MARK);
    for (const before of [1, Math.floor(length / 2), length - 1]) {
      const content = Buffer.alloc(PART_BYTES + length);
      content.write(MARK, PART_BYTES - before);
      expect(await hitsIn(content)).toBe(1);
    }
  });

  it('says how much it looked at', async () => {
    await writeFile(join(directory, 'one'), 'abc');
    await writeFile(join(directory, 'two'), '');
    expect(await searchFiles(directory, [MARK])).toMatchObject({ files: 2, bytes: 3 });
  });
});
