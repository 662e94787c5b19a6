import { dirname } from 'node:path';
import type { Place } from './place.js';
import { decompressPglz } from './pglz.js';
import type { View, Watch } from './probes.js';
import { compressedBy, decompressValue, LONGEST_VALUE_BYTES } from './varlena.js';

/** A whole piece of a long value, at PostgreSQL's page size of 8 kB (TOAST_MAX_CHUNK_SIZE). */
const PIECE_BYTES = 1996;
/** Pieces that wait for the others, all values together. */
const MOST_WAITING_BYTES = 64 * 1024 * 1024;

interface LongValue {
  /** Where the first piece was met. */
  readonly place: Place;
  readonly at: number;
  readonly pieces: Map<number, Buffer>;
  /** Number of the last piece: the one that is not full. */
  last: number | undefined;
}

/** What there is of a value whose other pieces are gone. */
export interface Fragment {
  readonly place: Place;
  readonly at: number;
  readonly layer: string;
  readonly bytes: Buffer;
}

/**
 * PostgreSQL keeps a long value in rows of a TOAST table, 2 kB each, and perhaps compressed before: a value that is looked
 * for stands across two of them, or nowhere to be seen. The rows are recognised in tables and in the write-ahead log alike,
 * by the head of a row with three columns and what must follow, and are put together by the value's number.
 */
export class LongValues {
  readonly #waiting = new Map<string, LongValue>();
  #bytes = 0;
  /** Values of which pieces are gone: the others were searched as they stand. */
  fragments = 0;

  readonly watch: Watch = {
    // Low byte of the row's number of columns (3), and the high one with its flags.
    pairs: [0x00, 0x20, 0x40, 0x60, 0x80, 0xa0, 0xc0, 0xe0].map((flags) => [0x03, flags] as const),
    probe: (view, at) => {
      const piece = pieceAt(view.bytes, at);
      if (piece) this.#take(view, at, piece);
    },
  };

  #take(view: View, at: number, { value, number, content }: Piece): void {
    // Numbers of values are one server's: those of two directories have nothing to do with each other.
    const key = [dirname(view.place.file), ...view.place.layers.map(({ name }) => name), value].join('\n');
    let known = this.#waiting.get(key);
    const same = known?.pieces.get(number);
    if (same?.equals(content)) return;
    if (same) {
      // The number was given to another value later.
      this.#give(view, at, key);
      known = undefined;
    }
    if (!known)
      this.#waiting.set(key, (known = { place: view.place, at: view.base + at, pieces: new Map(), last: undefined }));
    known.pieces.set(number, Buffer.from(content));
    this.#bytes += content.length;
    if (content.length < PIECE_BYTES) known.last = number;
    if (known.last !== undefined && known.pieces.size > known.last) this.#give(view, at, key);
    for (const oldest of this.#waiting.keys()) {
      if (this.#bytes <= MOST_WAITING_BYTES) break;
      view.unread(at, 'more unfinished long values than can be kept waiting');
      this.#give(view, at, oldest);
    }
  }

  /** What waits in vain, once everything was gone through. */
  *rest(): Generator<Fragment> {
    for (const { place, at, pieces } of this.#waiting.values()) {
      this.fragments += 1;
      for (const content of contentsOf(pieces)) yield { place, at, ...content };
    }
    this.#waiting.clear();
  }

  #give(view: View, at: number, key: string): void {
    const { pieces } = this.#waiting.get(key)!;
    this.#waiting.delete(key);
    for (const piece of pieces.values()) this.#bytes -= piece.length;
    for (const { bytes, layer } of contentsOf(pieces)) view.inner(at, layer, bytes);
  }
}

/** The value as it stands and, where it was compressed, as it was; in stretches, where pieces are missing. */
function* contentsOf(pieces: ReadonlyMap<number, Buffer>): Generator<{ bytes: Buffer; layer: string }> {
  const numbers = [...pieces.keys()].sort((a, b) => a - b);
  for (let i = 0; i < numbers.length;) {
    const first = i;
    do i += 1;
    while (i < numbers.length && numbers[i] === numbers[i - 1]! + 1);
    const bytes = Buffer.concat(numbers.slice(first, i).map((number) => pieces.get(number)!));
    // A single piece was gone through where it stands.
    if (i - first > 1) yield { bytes, layer: 'TOAST' };
    if (numbers[first] === 0 && bytes.length > 4) yield* decompressed(bytes);
  }
}

function* decompressed(bytes: Buffer): Generator<{ bytes: Buffer; layer: string }> {
  const source = bytes.subarray(4);
  const word = bytes.readUInt32LE(0);
  const compressed = compressedBy(word, source.length);
  const whole = compressed && compressed.rawSize <= LONGEST_VALUE_BYTES && decompressValue(source, compressed);
  if (whole) return void (yield { bytes: whole, layer: `TOAST, ${compressed.method}` });
  // A beginning gives a beginning.
  const rawSize = Math.min(word & 0x3fffffff, LONGEST_VALUE_BYTES);
  const partial = word >>> 30 === 0 && rawSize > source.length ? decompressPglz(source, rawSize, true) : undefined;
  if (partial) yield { bytes: partial, layer: 'TOAST, pglz' };
}

interface Piece {
  readonly value: number;
  readonly number: number;
  readonly content: Buffer;
}

const HAS_NULL_OR_EXTERNAL = 0x05;
const HAS_VARIABLE = 0x02;
const HEAD_BYTES = 24;

/** The piece in a row whose number of columns stands at `at`: flags, length of the head, value, number, bytes. */
const pieceAt = (bytes: Buffer, at: number): Piece | undefined => {
  if (bytes[at + 4] !== HEAD_BYTES || bytes[at + 5] !== 0 || at + 16 > bytes.length) return undefined;
  const flags = bytes[at + 2]!;
  if ((flags & HAS_VARIABLE) === 0 || (flags & HAS_NULL_OR_EXTERNAL) !== 0) return undefined;
  const short = (bytes[at + 14]! & 1) === 1;
  const length = short
    ? (bytes[at + 14]! >> 1) - 1
    : (bytes.readUInt32LE(Math.min(at + 14, bytes.length - 4)) >>> 2) - 4;
  const from = at + 14 + (short ? 1 : 4);
  if ((!short && (bytes[at + 14]! & 3) !== 0) || length < 1 || length > PIECE_BYTES || from + length > bytes.length)
    return undefined;
  const number = bytes.readInt32LE(at + 10);
  if (number < 0 || number > 1_000_000) return undefined;
  return { value: bytes.readUInt32LE(at + 6), number, content: bytes.subarray(from, from + length) };
};
