import type { DecoderOf, Watch } from './probes.js';

/**
 * One LZ4 block (lz4_Block_format.md) behind `history` bytes that stand in `into` already. Gives the length that `into` has
 * then, or `undefined` for what is no such block or does not fit.
 */
export const decompressLz4 = (source: Buffer, into: Buffer, history = 0): number | undefined => {
  let from = 0;
  let to = history;
  const extended = (length: number): number => {
    if (length !== 15) return length;
    for (let more = 255, sum = length; ; sum += more) {
      if (more !== 255) return sum;
      if (from >= source.length) return NaN;
      more = source[from++]!;
    }
  };
  while (from < source.length) {
    const token = source[from++]!;
    const literals = extended(token >> 4);
    if (!(from + literals <= source.length && to + literals <= into.length)) return undefined;
    source.copy(into, to, from, from + literals);
    from += literals;
    to += literals;
    // The last sequence has no copy.
    if (from === source.length) return to;
    const distance = source[from]! | ((source[from + 1] ?? 0) << 8);
    from += 2;
    const length = extended(token & 15) + 4;
    if (distance === 0 || distance > to || !(to + length <= into.length)) return undefined;
    for (const end = to + length; to < end; to++) into[to] = into[to - distance]!;
  }
  return undefined;
};

const MAGIC = 0x184d2204;
const HISTORY = 64 * 1024;
const UNCOMPRESSED = 0x80000000;

/** LZ4 frames (lz4_Frame_format.md), wherever one begins. */
export const lz4Watch: Watch = {
  pairs: [[0x04, 0x22]],
  probe: (view, at) => {
    const { bytes } = view;
    if (at + 7 > bytes.length || bytes.readUInt32LE(at) !== MAGIC || bytes[at + 4]! >> 6 !== 1) return;
    if (bytes[at + 4]! & 1) return view.unread(at, 'lz4 with a dictionary is not understood');
    view.open(at, 'lz4', lz4Frame);
  },
};

const lz4Frame: DecoderOf = (inner, unread) => {
  let pending = Buffer.alloc(0);
  let header: FrameHeader | undefined;
  let memory = Buffer.alloc(0);
  let history = 0;
  let over = false;
  const finish = async (why?: string): Promise<boolean> => {
    if (!over) await inner.end();
    over = true;
    if (why !== undefined) unread(why);
    return false;
  };
  return {
    async push(bytes) {
      pending = pending.length === 0 ? Buffer.from(bytes) : Buffer.concat([pending, bytes]);
      header ??= headerIn(pending);
      if (!header) return true;
      if (memory.length === 0) {
        memory = Buffer.alloc(HISTORY + header.blockBytes);
        pending = pending.subarray(header.length);
      }
      while (pending.length >= 4) {
        const word = pending.readUInt32LE(0);
        if (word === 0) return finish();
        const size = (word & ~UNCOMPRESSED) >>> 0;
        if (size > header.blockBytes) return finish('damaged lz4');
        if (pending.length < 4 + size + header.checksum) return true;
        const block = pending.subarray(4, 4 + size);
        const end =
          word >= UNCOMPRESSED ? history + block.copy(memory, history) : decompressLz4(block, memory, history);
        if (end === undefined) return finish('damaged lz4');
        await inner.push(memory.subarray(history, end));
        history = Math.min(end, HISTORY);
        memory.copyWithin(0, end - history, end);
        pending = pending.subarray(4 + size + header.checksum);
      }
      return true;
    },
    end: async () => void (over || (await finish('lz4 that is cut off'))),
  };
};

interface FrameHeader {
  readonly length: number;
  readonly blockBytes: number;
  /** Bytes of the checksum behind each block. */
  readonly checksum: number;
}

const headerIn = (bytes: Buffer): FrameHeader | undefined => {
  const flags = bytes[4] ?? 0;
  const length = 7 + (flags & 0x08 ? 8 : 0);
  if (bytes.length < length) return undefined;
  return { length, blockBytes: 1 << (8 + 2 * ((bytes[5]! >> 4) & 7)), checksum: flags & 0x10 ? 4 : 0 };
};
