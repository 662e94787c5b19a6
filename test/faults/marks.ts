import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Looks for marked values in every byte of files, in the encodings in which a value usually leaks: as sent, lower- and
 * upper-cased, normalised, JSON- and URL-escaped; each as UTF-8, UTF-16 (both ends), hex, and base64 at its three offsets.
 */
export interface Hit {
  readonly file: string;
  readonly offset: number;
  readonly encoding: string;
}

const CHUNK = 8 * 1024 * 1024;

interface Needle {
  readonly encoding: string;
  readonly bytes: Buffer;
}

const variantsOf = (mark: string): ReadonlyMap<string, string> =>
  new Map(
    [
      ['as sent', mark],
      ['lower-cased', mark.toLowerCase()],
      ['upper-cased', mark.toUpperCase()],
      ['NFD', mark.normalize('NFD')],
      ['NFC', mark.normalize('NFC')],
      ['JSON', JSON.stringify(mark).slice(1, -1)],
      ['JSON ASCII', mark.replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)],
      ['URL', encodeURIComponent(mark)],
      ['form', encodeURIComponent(mark).replace(/%20/g, '+')],
    ].map(([name, text]) => [text!, name!]),
  );

/** Base64 of `bytes` as it stands inside a longer text at each of the three alignments, without the characters that neighbours change. */
const base64Cores = (bytes: Buffer): Buffer[] =>
  [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const from = shift === 0 ? 0 : shift + 1;
    const complete = Math.floor(((shift + bytes.length) * 8) / 6);
    return Buffer.from(text.slice(from, complete));
  });

export const needlesOf = (marks: readonly string[]): readonly Needle[] => {
  const needles = new Map<string, Needle>();
  const add = (encoding: string, bytes: Buffer) => needles.set(bytes.toString('latin1'), { encoding, bytes });
  for (const mark of marks)
    for (const [text, variant] of variantsOf(mark)) {
      const utf8 = Buffer.from(text);
      const utf16 = Buffer.from(text, 'utf16le');
      add(`${variant}, UTF-8`, utf8);
      add(`${variant}, UTF-16LE`, utf16);
      add(`${variant}, UTF-16BE`, Buffer.from(utf16).swap16());
      add(`${variant}, hex`, Buffer.from(utf8.toString('hex')));
      add(`${variant}, HEX`, Buffer.from(utf8.toString('hex').toUpperCase()));
      for (const core of base64Cores(utf8)) {
        add(`${variant}, base64`, core);
        add(`${variant}, base64url`, Buffer.from(core.toString().replace(/\+/g, '-').replace(/\//g, '_')));
      }
    }
  return [...needles.values()];
};

/** Needles by their first two bytes, then by their first four: one pass over the bytes serves any number of them. */
interface Finder {
  readonly pairs: Uint8Array;
  readonly byHead: ReadonlyMap<number, readonly Needle[]>;
}

const finderOf = (needles: readonly Needle[]): Finder => {
  const pairs = new Uint8Array(65_536);
  for (const { bytes } of needles) pairs[bytes.readUInt16BE(0)] = 1;
  return { pairs, byHead: Map.groupBy(needles, ({ bytes }) => bytes.readUInt32BE(0)) };
};

/** The first place of each needle that is there. */
export const searchBytes = (bytes: Buffer, needles: readonly Needle[], file: string, base = 0): Hit[] =>
  find(bytes, finderOf(needles), file, base);

const find = (bytes: Buffer, { pairs, byHead }: Finder, file: string, base: number): Hit[] => {
  const hits = new Map<Needle, Hit>();
  for (let at = 0, pair = bytes[0] ?? 0; at + 4 <= bytes.length; at++) {
    pair = ((pair << 8) | bytes[at + 1]!) & 0xffff;
    if (pairs[pair] === 0) continue;
    for (const needle of byHead.get(bytes.readUInt32BE(at)) ?? [])
      if (!hits.has(needle) && needle.bytes.equals(bytes.subarray(at, at + needle.bytes.length)))
        hits.set(needle, { file, offset: base + at, encoding: needle.encoding });
  }
  return [...hits.values()];
};

/** Every regular file below the paths, whatever its name. A file that goes away meanwhile is passed over; one that can't be read throws. */
export const searchFiles = async (
  paths: readonly string[],
  marks: readonly string[],
): Promise<{ hits: Hit[]; files: number; bytes: number }> => {
  const needles = needlesOf(marks);
  const finder = finderOf(needles);
  const overlap = Math.max(...needles.map((n) => n.bytes.length));
  const buffer = Buffer.alloc(CHUNK + overlap);
  const hits: Hit[] = [];
  let files = 0;
  let bytes = 0;
  for await (const file of filesBelow(paths)) {
    const handle = await open(file).catch(ignoreMissing);
    if (!handle) continue;
    files++;
    try {
      for (let offset = 0; ; offset += CHUNK) {
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset);
        if (bytesRead === 0) break;
        hits.push(...find(buffer.subarray(0, bytesRead), finder, file, offset));
        bytes += Math.min(bytesRead, CHUNK);
        if (bytesRead < buffer.length) break;
      }
    } finally {
      await handle.close();
    }
  }
  return { hits, files, bytes };
};

async function* filesBelow(paths: readonly string[]): AsyncGenerator<string> {
  for (const path of paths) {
    const entries = await readdir(path, { withFileTypes: true }).catch(ignoreMissing);
    for (const entry of entries ?? []) {
      const at = join(path, entry.name);
      if (entry.isDirectory()) yield* filesBelow([at]);
      else if (entry.isFile()) yield at;
    }
  }
}

const ignoreMissing = (error: unknown): undefined => {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  return undefined;
};
