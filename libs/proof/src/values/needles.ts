import { spellingsOf } from './spellings.js';

/** Bytes that stand for a value. */
export interface Needle {
  /** 1 for the first value that was given. */
  readonly value: number;
  readonly encoding: string;
  readonly bytes: Buffer;
}

/** Fewer bytes than these stand by chance in ciphertext, of which there is much. */
const FEWEST_BYTES = 6;

/** All bytes to look for: each spelling of each value in each of the usual encodings, once. */
export const needlesOf = (values: readonly string[]): readonly Needle[] => {
  const needles = new Map<string, Needle>();
  values.forEach((value, index) => {
    for (const { name, text } of spellingsOf(value))
      for (const [encoding, bytes] of encodingsOf(text)) {
        const key = bytes.toString('latin1');
        if (bytes.length < FEWEST_BYTES || needles.has(key)) continue;
        needles.set(key, { value: index + 1, encoding: `${name}, ${encoding}`, bytes });
      }
  });
  return [...needles.values()];
};

function* encodingsOf(text: string): Generator<[string, Buffer]> {
  const utf8 = Buffer.from(text);
  const utf16 = Buffer.from(text, 'utf16le');
  yield ['UTF-8', utf8];
  // What Latin-1 has no letter for would be cut off to another one.
  if (/^[\0-\xff]*$/.test(text)) yield ['Latin-1', Buffer.from(text, 'latin1')];
  yield ['UTF-16LE', utf16];
  yield ['UTF-16BE', Buffer.from(utf16).swap16()];
  yield ['hex', Buffer.from(utf8.toString('hex'))];
  yield ['hex, upper-case', Buffer.from(utf8.toString('hex').toUpperCase())];
  for (const core of base64Cores(utf8)) {
    yield ['base64', Buffer.from(core)];
    yield ['base64url', Buffer.from(core.replaceAll('+', '-').replaceAll('/', '_'))];
  }
}

/** Base64 of bytes as it stands in the midst of a longer text, at each of three offsets, without the letters that neighbours change. */
const base64Cores = (bytes: Buffer): string[] =>
  [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    const first = offset === 0 ? 0 : offset + 1;
    return text.slice(first, Math.floor(((offset + bytes.length) * 8) / 6));
  });
