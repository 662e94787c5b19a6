import { readFileSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import { ValueFindings } from '../values/value-findings.js';
import { readAll } from './reading.js';

const VALUE = 'Torbjørg Prøvemerke';
const NOISE = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251));

describe('reading through layers', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'makuler-layers-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const read = async (content: Buffer | string, values = [VALUE]) => {
    await writeFile(join(directory, 'file'), content);
    const findings = new ValueFindings(values);
    const result = await readAll([directory], { watches: findings.watches, name: (path) => findings.name(path) });
    return { ...result, found: findings.all };
  };
  const layersIn = async (content: Buffer | string) =>
    (await read(content)).found.map(({ layers }) => layers.replace(/ at \d+/g, ''));

  const text = Buffer.from(`${'before '.repeat(300)}${VALUE}${' after'.repeat(300)}`);
  const wrapped: [string, Buffer][] = [
    ['gzip', zlib.gzipSync(text)],
    ['zlib', zlib.deflateSync(text)],
    ['zstd', zlib.zstdCompressSync(text)],
    ['hex', Buffer.from(` ${text.toString('hex')} `)],
    ['base64', Buffer.from(`"${text.toString('base64')}"`)],
    ['base64', Buffer.from(`"${text.toString('base64url')}"`)],
    ['base64', Buffer.from(text.toString('base64').replace(/.{76}/g, '$&\r\n'))],
    ['gzip, base64', zlib.gzipSync(`{"x":"${text.toString('base64')}"}`)],
    ['base64, gzip', Buffer.from(`{"x":"${zlib.gzipSync(text).toString('base64')}"}`)],
    ['gzip, gzip', zlib.gzipSync(zlib.gzipSync(text))],
  ];
  it.each(wrapped)('finds what stands within %s, wherever it begins in a file', async (layers, content) => {
    expect(await layersIn(content)).toContain(layers);
    expect(await layersIn(Buffer.concat([NOISE, content, NOISE]))).toContain(layers);
  });

  const { value, files } = JSON.parse(readFileSync('test/vectors/proof/layers.1.json', 'utf8')) as {
    value: string;
    files: { made: string; layers: string; content: string }[];
  };
  it.each(files)('finds what $made has written', async ({ layers, content }) => {
    expect(value).toBe(VALUE);
    expect(await layersIn(zlib.gunzipSync(Buffer.from(content, 'base64')))).toContain(layers);
  });

  it('finds what stands in a file that is deflate and nothing else', async () => {
    expect(await layersIn(zlib.deflateRawSync(text))).toEqual(['deflate']);
  });

  it('finds short values whose deflate has fixed codes', async () => {
    expect(
      await layersIn(Buffer.concat([NOISE, zlib.deflateSync(VALUE, { strategy: zlib.constants.Z_FIXED })])),
    ).toContain('zlib');
  });

  it('finds what lies across the parts in which a file is read', async () => {
    const { length } = Buffer.from(VALUE);
    for (const border of [1024 * 1024, 1024 * 1024 + 12 * 1024, 1024 * 1024 + 24 * 1024])
      for (const before of [1, length - 1]) {
        const content = Buffer.alloc(2_500_000);
        content.write(VALUE, border - before);
        expect(await layersIn(content)).toEqual(['']);
      }
  });

  it('finds what lies far inside a compressed member that goes over many parts', async () => {
    const far = Buffer.concat([Buffer.alloc(5_000_000, 1), Buffer.from(VALUE), Buffer.alloc(3_000_000, 2)]);
    expect(await layersIn(Buffer.concat([NOISE, zlib.gzipSync(far, { level: 0 }), NOISE]))).toContain('gzip');
    const { found, through } = await read(`"${far.toString('base64')}"`);
    expect(found.map(({ layers }) => layers)).toContain('base64 at 1');
    // Once, however many parts it goes over.
    expect(through).toMatchObject({ base64: 1 });
  });

  it('names what it recognises and cannot look into, and what is broken or cut off', async () => {
    const reasons = async (content: Buffer) => (await read(content)).unread.map(({ why }) => why);
    expect(await reasons(Buffer.from('fd377a585a000000', 'hex'))).toEqual(['xz is not understood']);
    expect(await reasons(zlib.gzipSync(text).subarray(0, 60))).toEqual(['damaged or cut off gzip']);
    expect((await readAll([join(directory, 'nowhere')], { watches: [] })).unread[0]?.why).toBe('ENOENT');
  });

  it('stops at a depth, and says so', async () => {
    let nested: Buffer = text;
    for (let depth = 0; depth < 10; depth++) nested = zlib.gzipSync(nested);
    expect((await read(nested)).unread.map(({ why }) => why)).toEqual(['deeper than 8 layers']);
  });

  it('reads names, and where links lead, and follows none', async () => {
    await symlink(`/somewhere/${VALUE}`, join(directory, 'link'));
    await writeFile(join(directory, `letter to ${VALUE}.txt`), '');
    const { found } = await read('');
    expect(found.map(({ layers }) => layers.replace(/ at \d+/g, ''))).toEqual(
      expect.arrayContaining(['link', 'its name']),
    );
    expect(new ValueFindings([VALUE]).withoutValues(`/a/letter to ${VALUE}.txt`)).toBe('/a/letter to [value 1].txt');
  });

  it('takes any bytes for what they are, cut off anywhere', async () => {
    const beginnings = [
      '1f8b0800',
      '789c',
      '504b030414',
      '28b52ffd',
      '04224d18',
      '0300020018000000',
      '5047444d50',
      '18d10700',
      '0b6c697665',
      'd70101',
      '4a010000',
    ];
    const bytes = Array.from({ length: 64 }, (_, i) => Buffer.from([(i * 89) & 255]));
    for (const beginning of beginnings)
      for (let length = 0; length < 40; length += 3) {
        const content = Buffer.concat([
          NOISE.subarray(0, length),
          Buffer.from(beginning, 'hex'),
          ...bytes.slice(0, 39 - length),
        ]);
        const { unread } = await read(content);
        expect(unread.filter(({ why }) => /Error/.test(why))).toEqual([]);
      }
  });

  it('finds nothing where nothing is, and counts what it read', async () => {
    expect(await read(Buffer.concat([NOISE, Buffer.from('Torbjørg Prøve')]))).toMatchObject({
      files: 1,
      bytes: NOISE.length + 16,
      found: [],
      unread: [],
    });
  });
});
