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

/** Fixed codes (§ 3.2.6): by chance, the first copy among the first symbols reaches behind what was written before. */
const startsLikeFixedCodes = (bits: Bits): boolean => {
  for (let written = 0, symbol = 0; symbol < WALKED_SYMBOLS; symbol++) {
    let code = bits.code(7);
    if (code === 0) return written > 0;
    if (code >= 0b0011000) {
      // A literal, but for eight codes that stand for the longest copies.
      code = bits.code(1, code);
      if (code >= 0b11000000 && code < 0b11001000) return false;
      if (code >= 0b11001000) bits.code(1);
      written += 1;
      continue;
    }
    const extra = code < 9 ? 0 : code < 21 ? (code - 5) >> 2 : 0;
    const length = 3 + bits.take(extra);
    const distanceCode = bits.code(5);
    if (distanceCode > 29) return false;
    const distanceExtra = distanceCode < 4 ? 0 : (distanceCode - 2) >> 1;
    const base = distanceCode < 4 ? distanceCode + 1 : ((2 + (distanceCode & 1)) << distanceExtra) + 1;
    if (base + bits.take(distanceExtra) > written) return false;
    written += length;
  }
  return true;
};
