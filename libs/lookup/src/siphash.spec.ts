import { SipHash } from './siphash.js';

const hex = (half: number): string => half.toString(16).padStart(8, '0');
const hashOf = (hash: SipHash, text: string): string => {
  hash.of(text);
  return hex(hash.high) + hex(hash.low);
};

/** The reference implementation's vectors: the key 00 01 … 0f, texts 00 01 …; that of fifteen bytes stands in the paper too. */
const VECTORS = [
  [0, '726fdb47dd0e0e31'],
  [1, '74f839c593dc67fd'],
  [2, '0d6c8009d9a94f5a'],
  [8, '93f5f5799a932462'],
  [15, 'a129ca6149be45e5'],
] as const;

describe('SipHash-2-4', () => {
  const hash = new SipHash(Uint8Array.from({ length: 16 }, (_, n) => n));

  it.each(VECTORS)('of %i bytes is what the reference says', (length, expected) => {
    expect(hashOf(hash, String.fromCharCode(...Array.from({ length }, (_, n) => n)))).toBe(expected);
  });

  it('is not touched by what was hashed before, however long', () => {
    const texts = ['', 'kari', 'ø'.repeat(1_000), '😀'.repeat(7), 'x'.repeat(255), 'kari\0'];
    const alone = texts.map((text) => hashOf(new SipHash(new Uint8Array(16)), text));
    const one = new SipHash(new Uint8Array(16));
    for (const order of [texts, texts.toReversed()])
      for (const text of order) expect(hashOf(one, text)).toBe(alone[texts.indexOf(text)]);
    expect(new Set(alone).size).toBe(texts.length);
  });
});
