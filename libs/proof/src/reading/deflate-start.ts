import { constants, inflateRawSync } from 'node:zlib';

const PROBED_BYTES = 4096;

/** Whether deflate (RFC 1951) begins here and the next few kB do not contradict it. */
export const isDeflate = (bytes: Buffer, at: number): boolean => {
  // Two bytes of zlib's head stand by chance every other kB: what can be told from the first block is told without zlib.
  if (at + 5 > bytes.length || !isBlock(bytes, at)) return false;
  try {
    inflateRawSync(bytes.subarray(at, at + PROBED_BYTES), {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: 64 * PROBED_BYTES,
    });
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
  }
};

const isBlock = (bytes: Buffer, at: number): boolean => {
  switch ((bytes[at]! >> 1) & 3) {
    case 0:
      return (bytes.readUInt16LE(at + 1) ^ bytes.readUInt16LE(at + 3)) === 0xffff;
    case 1:
      return startsLikeFixedCodes(new Bits(bytes, at, 3));
    case 2:
      return hasCompleteCode(new Bits(bytes, at, 3));
    default:
      return false;
  }
};

/** Bits, lowest first; zeros behind the end. */
class Bits {
  #at: number;
  constructor(
    private readonly bytes: Buffer,
    start: number,
    skip: number,
  ) {
    this.#at = start * 8 + skip;
  }
  take(count: number): number {
    let value = 0;
    for (let bit = 0; bit < count; bit++, this.#at++)
      value |= (((this.bytes[this.#at >> 3] ?? 0) >> (this.#at & 7)) & 1) << bit;
    return value;
  }
  /** Of a Huffman code, whose first bit is the highest. */
  code(count: number, begun = 0): number {
    let value = begun;
    for (let bit = 0; bit < count; bit++) value = (value << 1) | this.take(1);
    return value;
  }
}

/** Dynamic codes: numbers of letters and distances that exist, and a complete code for their lengths (§ 3.2.7). */
const hasCompleteCode = (bits: Bits): boolean => {
  if (bits.take(5) > 29 || bits.take(5) > 29) return false;
  let filled = 0;
  for (let codes = bits.take(4) + 4; codes > 0; codes--) {
    const length = bits.take(3);
    if (length > 0) filled += 128 >> length;
  }
  return filled === 128;
};

const WALKED_SYMBOLS = 32;
const LONGEST_COPY = 258;

/** Fixed codes (§ 3.2.6): by chance, the first copy among the first symbols reaches behind what was written before. */
const startsLikeFixedCodes = (bits: Bits): boolean => {
  for (let written = 0, symbol = 0; symbol < WALKED_SYMBOLS; symbol++) {
    const length = lengthOrLiteral(bits);
    if (length === 'end') return written > 0;
    if (length === 'literal') {
      written += 1;
      continue;
    }
    bits.take(length < 9 || length >= 29 ? 0 : (length - 5) >> 2);
    const distance = bits.code(5);
    if (length > 29 || distance > 29) return false;
    const extra = distance < 4 ? 0 : (distance - 2) >> 1;
    const base = distance < 4 ? distance + 1 : ((2 + (distance & 1)) << extra) + 1;
    if (base + bits.take(extra) > written) return false;
    written += LONGEST_COPY;
  }
  return true;
};

/** The number of a length, from 1; those beyond 29 there are not. */
const lengthOrLiteral = (bits: Bits): number | 'literal' | 'end' => {
  const seven = bits.code(7);
  if (seven === 0) return 'end';
  if (seven < 0b0011000) return seven;
  const eight = bits.code(1, seven);
  if (eight >= 0b11000000 && eight < 0b11001000) return 24 + eight - 0b11000000;
  if (eight >= 0b11001000) bits.take(1);
  return 'literal';
};
