import { isDeflate } from './deflate-start.js';
import type { Place } from './place.js';
import type { DecoderOf, Watch } from './probes.js';
import { pair } from './probes.js';

/** A length in a custom dump of pg_dump: a byte of sign, four bytes, lowest first. */
const LENGTH_BYTES = 5;
const [ZSTD, LZ4] = [0xfd2fb528, 0x184d2204];
const LONGEST_PIECE_BYTES = 1024 * 1024;

/**
 * pg_dump's custom format (src/bin/pg_dump/pg_backup_custom.c) cuts the compressed data of a table into pieces with a length
 * before each, and a zero at the end: what stands between them is one stream. Made anew for each reading.
 */
export const dumpWatches = (): readonly Watch[] => {
  // Lengths and zeros stand everywhere: only behind the head of a dump do they mean this.
  const dumps = new WeakSet<Place>();
  return [
    {
      pairs: [pair('PG')],
      probe: ({ bytes, place }, at) => void (bytes.toString('latin1', at, at + 5) === 'PGDMP' && dumps.add(place)),
    },
    {
      pairs: [...[0x01, 0x5e, 0x9c, 0xda].map((level) => [0x78, level] as const), [0x28, 0xb5], [0x04, 0x22]],
      probe: (view, at) => {
        const start = at - LENGTH_BYTES;
        if (start < 0 || !dumps.has(view.place) || !lengthAt(view.bytes, start) || !beginsStream(view.bytes, at))
          return;
        view.open(start, 'pg_dump', withoutLengths);
      },
    },
  ];
};

const beginsStream = (bytes: Buffer, at: number): boolean =>
  bytes[at] === 0x78 ? isDeflate(bytes, at + 2) : [ZSTD, LZ4].includes(bytes.readUInt32LE(at));

const lengthAt = (bytes: Buffer, at: number): number | undefined => {
  const length = bytes.readUInt32LE(at + 1);
  return bytes[at] === 0 && length > 0 && length <= LONGEST_PIECE_BYTES ? length : undefined;
};

const withoutLengths: DecoderOf = (inner) => {
  let head = Buffer.alloc(0);
  let missing = 0;
  return {
    async push(bytes) {
      for (let at = 0; at < bytes.length;) {
        if (missing === 0) {
          const more = bytes.subarray(at, at + LENGTH_BYTES - head.length);
          head = Buffer.concat([head, more]);
          at += more.length;
          if (head.length < LENGTH_BYTES) return true;
          missing = lengthAt(head, 0) ?? 0;
          head = Buffer.alloc(0);
          if (missing === 0) {
            await inner.end();
            return false;
          }
        }
        const piece = bytes.subarray(at, at + missing);
        await inner.push(piece);
        missing -= piece.length;
        at += piece.length;
      }
      return true;
    },
    end: () => inner.end(),
  };
};
