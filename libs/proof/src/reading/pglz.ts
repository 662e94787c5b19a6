/**
 * PostgreSQL's own compression (src/common/pg_lzcompress.c). A control byte says of the next eight items, lowest bit first,
 * whether each is a literal byte (0) or a copy (1) of what was written before: two bytes with length - 3 (4 bits) and
 * distance (12 bits), and, for the greatest length, a third that lengthens it.
 *
 * With `partial` whatever decodes of a beginning; without, `undefined` unless the source gives exactly `rawSize` bytes.
 */
export const decompressPglz = (source: Buffer, rawSize: number, partial = false): Buffer | undefined => {
  const raw = Buffer.allocUnsafe(rawSize);
  let from = 0;
  let to = 0;
  while (from < source.length && to < rawSize) {
    let control = source[from++]!;
    for (let item = 0; item < 8 && from < source.length && to < rawSize; item++, control >>= 1) {
      if ((control & 1) === 0) {
        raw[to++] = source[from++]!;
        continue;
      }
      if (from + 2 > source.length) return partial ? raw.subarray(0, to) : undefined;
      let length = (source[from]! & 0x0f) + 3;
      const distance = ((source[from]! & 0xf0) << 4) | source[from + 1]!;
      from += 2;
      if (length === 18) length += source[from++] ?? 0;
      if (distance === 0 || distance > to) return undefined;
      const end = to + length < rawSize ? to + length : rawSize;
      // Byte by byte: a copy may reach into what it writes itself.
      for (; to < end; to++) raw[to] = raw[to - distance]!;
    }
  }
  if (partial) return raw.subarray(0, to);
  return to === rawSize && from === source.length ? raw : undefined;
};
