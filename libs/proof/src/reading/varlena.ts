import { decompressLz4 } from './lz4.js';
import { decompressPglz } from './pglz.js';
import type { Watch } from './probes.js';

/** Longer values than this are decoded as far as this. */
export const LONGEST_VALUE_BYTES = 64 * 1024 * 1024;
/** A byte of LZ4 stands for 255 at most, of pglz for less. */
const GREATEST_RATIO = 256;

/** The first word of a compressed value: its size, and which method of two (src/include/varatt.h, `va_tcinfo`). */
export interface Compressed {
  readonly rawSize: number;
  readonly method: 'pglz' | 'lz4';
}

/** The word as what it says, where it can be true of `size` compressed bytes. */
export const compressedBy = (word: number, size: number): Compressed | undefined => {
  const rawSize = word & 0x3fffffff;
  const method = (['pglz', 'lz4'] as const)[word >>> 30];
  return method !== undefined && rawSize > size && rawSize <= size * GREATEST_RATIO ? { rawSize, method } : undefined;
};

/** The value, whole; `undefined` when this is none. */
export const decompressValue = (source: Buffer, { rawSize, method }: Compressed): Buffer | undefined => {
  if (method === 'pglz') return decompressPglz(source, rawSize);
  const raw = Buffer.allocUnsafe(rawSize);
  return decompressLz4(source, raw) === rawSize ? raw : undefined;
};

/**
 * Values that PostgreSQL compressed and left in their row: four bytes of length with the mark `10`, the word, the compressed
 * bytes. They are found wherever they stand: in a live row, a dead one, what is left of a removed one, an index, or the
 * write-ahead log. PostgreSQL moves what is longer than 2 kB out of the row, unless a table was told otherwise.
 */
export const varlenaWatch: Watch = {
  pairs: Array.from({ length: 64 * 32 }, (_, i) => [((i & 63) << 2) | 2, i >> 6] as const),
  probe: (view, at) => {
    const { bytes } = view;
    if (bytes[at + 2] !== 0 || bytes[at + 3] !== 0 || at + 9 > bytes.length) return;
    const end = at + ((bytes[at]! | (bytes[at + 1]! << 8)) >> 2);
    if (end <= at + 8 || end > bytes.length) return;
    const compressed = compressedBy(bytes.readUInt32LE(at + 4), end - at - 8);
    const raw = compressed && decompressValue(bytes.subarray(at + 8, end), compressed);
    if (raw) view.inner(at, compressed.method, raw);
  },
};
