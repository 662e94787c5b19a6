import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { isDeflate } from './deflate-start.js';
import type { Decoder, DecoderOf, View, Watch } from './probes.js';
import { pair } from './probes.js';

/** What decodes to less than this and then breaks was no such stream, or a piece whose rest is gone. */
const WORTH_SAYING_BYTES = 1024 * 1024;

/**
 * A stream of zlib's: gzip, zlib, raw deflate, zstd. What breaks is searched as far as it goes, and is said to be unread
 * where something whole should have been: at the beginning of a content, or after much.
 */
const streamed =
  (name: string, make: () => Transform, whole: boolean): DecoderOf =>
  (inner, unread) => {
    const transform = make();
    let given = 0;
    let over = false;
    const pumped = (async () => {
      try {
        for await (const part of transform as AsyncIterable<Buffer>) {
          given += part.length;
          await inner.push(part);
        }
      } catch (error) {
        // zstd reads on behind its frame, where something else may stand.
        const behind = (error as NodeJS.ErrnoException).code === 'ZSTD_error_prefix_unknown' && given > 0;
        if (!behind && (given >= WORTH_SAYING_BYTES || whole)) unread(`damaged or cut off ${name}`);
      }
      await inner.end();
      over = true;
    })();
    const decoder: Decoder = {
      async push(bytes) {
        if (over || transform.destroyed) return false;
        // Only when it was taken in may the memory be used for something else.
        await Promise.race([pumped, new Promise<void>((taken) => transform.write(bytes, () => taken()))]);
        return !over;
      },
      async end() {
        if (!over && !transform.destroyed) transform.end();
        await pumped;
      },
    };
    return decoder;
  };

const isWhole = ({ base }: View, at: number): boolean => base + at === 0;
/** Two bytes begin too much by chance: at the beginning of a file only. */
const isFile = (view: View, at: number): boolean => isWhole(view, at) && view.place.layers.length === 0;

const gzip: Watch = {
  pairs: [[0x1f, 0x8b]],
  probe: (view, at) => {
    const { bytes } = view;
    const likely = bytes[at + 2] === 8 && (bytes[at + 3]! & 0xe0) === 0 && [0, 2, 4].includes(bytes[at + 8]!);
    if (likely) view.open(at, 'gzip', streamed('gzip', zlib.createGunzip, isWhole(view, at)));
  },
};

/** The two bytes before zlib's deflate: any window from 512 bytes to 32 kB, any level, no dictionary (RFC 1950). */
const ZLIB_HEADERS = [0x18, 0x28, 0x38, 0x48, 0x58, 0x68, 0x78].flatMap((method) =>
  [0, 1, 2, 3].map((level) => [method, (level << 6) + 31 - (((method << 8) + (level << 6)) % 31)] as const),
);

const zlibStream: Watch = {
  pairs: ZLIB_HEADERS,
  probe: (view, at) => {
    if (isDeflate(view.bytes, at + 2)) view.open(at, 'zlib', streamed('zlib', zlib.createInflate, isFile(view, at)));
  },
};

const ZIP_DEFLATED = 8;
/** Members of zip files (APPNOTE.TXT 4.3.7). What is stored is read as it stands; the names are too. */
const zip: Watch = {
  pairs: [pair('PK')],
  probe: (view, at) => {
    const { bytes } = view;
    if (at + 30 > bytes.length || bytes[at + 2] !== 3 || bytes[at + 3] !== 4) return;
    const [flags, method] = [bytes.readUInt16LE(at + 6), bytes.readUInt16LE(at + 8)];
    if (flags & 1) return view.unread(at, 'an encrypted member of a zip file');
    const data = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28);
    if (method === ZIP_DEFLATED && isDeflate(bytes, data))
      view.open(data, 'zip', streamed('member of a zip file', zlib.createInflateRaw, true));
    else if (![0, ZIP_DEFLATED].includes(method) && method < 100)
      view.unread(at, `a member of a zip file with method ${method}`);
  },
};

const zstd: Watch = {
  pairs: [[0x28, 0xb5]],
  probe: (view, at) => {
    if (view.bytes[at + 2] !== 0x2f || view.bytes[at + 3] !== 0xfd) return;
    // Node before 22.15 has none.
    if (!('createZstdDecompress' in zlib)) return view.unread(at, 'zstd is not understood by this version of Node');
    view.open(at, 'zstd', streamed('zstd', zlib.createZstdDecompress, isWhole(view, at)));
  },
};

/** Deflate has no mark of its own: a file that is nothing else is known by its first block, and by how it goes on. */
export const rawDeflate = (content: Buffer): DecoderOf | undefined =>
  isDeflate(content, 0) ? streamed('deflate', zlib.createInflateRaw, false) : undefined;

/** Streams that are known by their first bytes, wherever they begin. */
export const COMPRESSED: readonly Watch[] = [gzip, zlibStream, zip, zstd];
