import type { DecoderOf, Watch } from './probes.js';

/** A length in a custom dump of pg_dump: a byte of sign, four bytes, lowest first. */
const LENGTH_BYTES = 5;
const LONGEST_PIECE_BYTES = 1024 * 1024;

/**
 * pg_dump's custom format (src/bin/pg_dump/pg_backup_custom.c) cuts the compressed data of a table into pieces with a length
 * before each, and a zero at the end: what stands between them is one stream.
 */
export const dumpFramesWatch: Watch = {
  pairs: [
    ...[0x01, 0x5e, 0x9c, 0xda].map((level) => [0x78, level] as const), // zlib
    [0x28, 0xb5], // zstd
    [0x04, 0x22], // lz4
  ],
  probe: (view, at) => {
    const start = at - LENGTH_BYTES;
    if (start >= 0 && lengthAt(view.bytes, start)) view.open(start, 'pg_dump', withoutLengths);
  },
};

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
