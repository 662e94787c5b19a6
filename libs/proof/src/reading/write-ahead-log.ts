import type { DecoderOf, Watch } from './probes.js';

/** Name of the layer. */
export const WRITE_AHEAD_LOG = 'write-ahead log';

const PAGE_BYTES = 8192;
const LONG_HEADER_BYTES = 40;
const SHORT_HEADER_BYTES = 24;
const LONG_HEADER = 0x0002;

/**
 * Segments of PostgreSQL's write-ahead log (src/include/access/xlog_internal.h), wherever one begins. A record goes on over
 * the heads of pages; without them it is whole, so a segment is gone through without them instead of as it stands.
 */
export const writeAheadLogWatch: Watch = {
  // The magic number is 0xD1.. in every version since 12; its low byte comes first.
  pairs: Array.from({ length: 64 }, (_, version) => [version, 0xd1] as const),
  probe: (view, at) => {
    const { bytes } = view;
    if (at + LONG_HEADER_BYTES > bytes.length || !(bytes[at + 2]! & LONG_HEADER) || bytes[at + 3] !== 0) return;
    const segmentBytes = bytes.readUInt32LE(at + 32);
    const inSegment = bytes.readBigUInt64LE(at + 8) % BigInt(segmentBytes || 1);
    const sane = segmentBytes >= 1024 * 1024 && segmentBytes <= 1024 ** 3 && (segmentBytes & (segmentBytes - 1)) === 0;
    if (!sane || bytes.readUInt32LE(at + 36) !== PAGE_BYTES || inSegment !== 0n) return;
    view.leap(at, at + segmentBytes);
    view.open(at, WRITE_AHEAD_LOG, withoutPageHeads(segmentBytes, bytes.readUInt16LE(at)));
  },
};

const withoutPageHeads =
  (segmentBytes: number, magic: number): DecoderOf =>
  (inner) => {
    let taken = 0;
    let page = Buffer.alloc(0);
    const give = async (bytes: Buffer): Promise<void> => void (await inner.push(bytes.subarray(headOf(bytes, magic))));
    return {
      async push(bytes) {
        const some = bytes.subarray(0, segmentBytes - taken);
        taken += some.length;
        let at = 0;
        if (page.length > 0) {
          at = Math.min(PAGE_BYTES - page.length, some.length);
          page = Buffer.concat([page, some.subarray(0, at)]);
          if (page.length < PAGE_BYTES) return true;
          await give(page);
        }
        for (; at + PAGE_BYTES <= some.length; at += PAGE_BYTES) await give(some.subarray(at, at + PAGE_BYTES));
        page = Buffer.from(some.subarray(at));
        if (taken < segmentBytes) return true;
        await inner.end();
        return false;
      },
      async end() {
        await give(page);
        await inner.end();
      },
    };
  };

/** A page without a head is one that was never written. */
const headOf = (page: Buffer, magic: number): number => {
  if (page.length < SHORT_HEADER_BYTES || page.readUInt16LE(0) !== magic) return 0;
  return page[2]! & LONG_HEADER ? LONG_HEADER_BYTES : SHORT_HEADER_BYTES;
};
