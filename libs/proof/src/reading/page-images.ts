import * as zlib from 'node:zlib';
import { decompressLz4 } from './lz4.js';
import { decompressPglz } from './pglz.js';
import type { View, Watch } from './probes.js';
import { WRITE_AHEAD_LOG } from './write-ahead-log.js';

const PAGE_BYTES = 8192;
const FORKS = [0, 1, 2, 3];
/** Flags of a block in a record: it has an image; it has data too; it is of the same relation as the block before. */
const [HAS_IMAGE, HAS_DATA, SAME_RELATION] = [0x10, 0x20, 0x80];
/** Flags of an image: a hole was left out; one of three compressions. */
const HAS_HOLE = 0x01;
const METHODS = { pglz: 0x04, lz4: 0x08, zstd: 0x10 } as const;
type Method = keyof typeof METHODS;
const [DATA_SHORT, DATA_LONG, ORIGIN, TRANSACTION] = [0xff, 0xfe, 0xfd, 0xfc];
const MOST_BLOCKS = 33;

interface Block {
  readonly imageBytes: number;
  readonly dataBytes: number;
  readonly method: Method | undefined;
  /** Of the page, without its hole. */
  readonly rawBytes: number;
}

/**
 * With `wal_compression` the first change of a page after a checkpoint is written with the page, compressed
 * (src/include/access/xlogrecord.h, PostgreSQL 15 and later). The heads of all blocks of a record come first, then their images.
 */
export const pageImageWatch: Watch = {
  pairs: FORKS.flatMap((fork) => [0, HAS_DATA].map((data) => [0, HAS_IMAGE | data | fork] as const)),
  probe: (view, at) => {
    if (view.place.layers.at(-1)?.name !== WRITE_AHEAD_LOG) return;
    const heads = headsAt(view.bytes, at);
    if (!heads?.blocks.some(({ method }) => method !== undefined)) return;
    let from = heads.end;
    for (const block of heads.blocks) {
      if (block.method !== undefined) open(view, from, block, block.method);
      from += block.imageBytes + block.dataBytes;
    }
  },
};

const open = (view: View, at: number, { imageBytes, rawBytes }: Block, method: Method): void => {
  const page = decompress(view.bytes.subarray(at, at + imageBytes), rawBytes, method);
  if (page) view.inner(at, `page image, ${method}`, page);
};

/** `undefined` for what only looked like a head. */
const decompress = (image: Buffer, rawBytes: number, method: Method): Buffer | undefined => {
  if (method === 'pglz') return decompressPglz(image, rawBytes);
  const raw = Buffer.alloc(rawBytes);
  if (method === 'lz4') return decompressLz4(image, raw) === rawBytes ? raw : undefined;
  try {
    return zlib.zstdDecompressSync(image, { maxOutputLength: PAGE_BYTES });
  } catch {
    return undefined;
  }
};

/** The heads of a record's blocks from the first on, and where what they speak of begins; `undefined` when this is none. */
const headsAt = (bytes: Buffer, start: number): { blocks: Block[]; end: number } | undefined => {
  const blocks: Block[] = [];
  for (let at = start; at + 8 <= bytes.length && blocks.length <= MOST_BLOCKS;) {
    const id = bytes[at]!;
    if (id === DATA_SHORT) return { blocks, end: at + 2 };
    if (id === DATA_LONG) return { blocks, end: at + 5 };
    if (id === ORIGIN || id === TRANSACTION) {
      at += id === ORIGIN ? 3 : 5;
      continue;
    }
    if (id !== blocks.length) return undefined;
    const flags = bytes[at + 1]!;
    const dataBytes = bytes.readUInt16LE(at + 2);
    if (dataBytes > 0 !== ((flags & HAS_DATA) !== 0)) return undefined;
    at += 4;
    let block: Block = { imageBytes: 0, dataBytes, method: undefined, rawBytes: 0 };
    if (flags & HAS_IMAGE) {
      if (at + 7 > bytes.length) return undefined;
      const [imageBytes, info] = [bytes.readUInt16LE(at), bytes[at + 4]!];
      const method = (Object.keys(METHODS) as Method[]).find((name) => info & METHODS[name]);
      const holed = (info & HAS_HOLE) !== 0 && method !== undefined;
      const rawBytes = PAGE_BYTES - (holed ? bytes.readUInt16LE(at + 5) : 0);
      if (imageBytes > PAGE_BYTES || bytes.readUInt16LE(at + 2) > PAGE_BYTES || rawBytes <= 0) return undefined;
      block = { imageBytes, dataBytes, method, rawBytes };
      at += holed ? 7 : 5;
    }
    at += (flags & SAME_RELATION ? 0 : 12) + 4;
    blocks.push(block);
  }
  return undefined;
};
