import type { DecoderOf } from './probes.js';

export type TextKind = 'hex' | 'base64';

/** A long row of letters that stands for bytes. */
export interface TextRun {
  readonly from: number;
  readonly to: number;
  readonly kind: TextKind;
  /** It begins a line, and may go on in the next. */
  readonly lined: boolean;
}

/** Shorter rows are looked into by the spellings of the values alone; a root key's file is 64 letters of base64. */
const SHORTEST = 44;
/** A row of `SHORTEST` has a letter at one of these places, so that most of a content is never looked at here. */
const STRIDE = 32;

const upToStride = (at: number): number => (at + STRIDE - 1) & ~(STRIDE - 1);

const LETTER = 1;
const HEX = 2;
/** Which bytes are letters of base64 (either alphabet), which of them hex digits. */
const CLASS = new Uint8Array(256);
for (const letter of Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_'))
  CLASS[letter] = LETTER;
for (const digit of Buffer.from('0123456789abcdefABCDEF')) CLASS[digit]! |= HEX;
const [CR, LF] = [0x0d, 0x0a];

const isLetter = (byte: number | undefined): boolean => byte !== undefined && CLASS[byte] !== 0;
const isBreak = (byte: number | undefined): boolean => byte === CR || byte === LF;

/**
 * The rows that have a letter between `from` and `to`; one may begin before (but not before `floor`), and end behind. Lines
 * of one row (PEM, MIME) are taken together.
 */
export function* textRuns(bytes: Buffer, floor: number, from: number, to: number): Generator<TextRun> {
  let lowest = floor;
  for (let at = upToStride(from > floor ? from : floor); at < to; at += STRIDE) {
    if (CLASS[bytes[at]!] === 0) continue;
    let first = at;
    while (first > lowest && isLetter(bytes[first - 1])) first -= 1;
    const last = endOfRun(bytes, first, at);
    if (last - first >= SHORTEST) {
      const run = classified(bytes, first, last);
      yield run;
      lowest = run.to;
    }
    if (last > at) at = upToStride(last) - STRIDE;
  }
}

/** What stands behind something else in its line (a column, a name) does not go on in the next. */
const beginsLine = (bytes: Buffer, at: number): boolean => at === 0 || isBreak(bytes[at - 1]);

/** Where the row ends, over the ends of lines whose letters stand for whole bytes. */
const endOfRun = (bytes: Buffer, first: number, within: number): number => {
  const lined = beginsLine(bytes, first);
  for (let line = first, at = within; ;) {
    while (isLetter(bytes[at])) at += 1;
    let next = at;
    while (next < at + 2 && isBreak(bytes[next])) next += 1;
    if (!lined || next === at || (at - line) % 4 !== 0 || at - line < SHORTEST || !isLetter(bytes[next])) return at;
    line = at = next;
  }
};

const classified = (bytes: Buffer, first: number, last: number): TextRun => {
  const lined = beginsLine(bytes, first);
  // `\x…` is PostgreSQL's, `0x…` everybody's.
  const mark = [1, 2].find((length) => bytes[first + length - 1] === 0x78 /* x */) ?? 0;
  for (const from of new Set([first, first + mark])) {
    let at = from;
    while (at < last && ((CLASS[bytes[at]!]! & HEX) !== 0 || isBreak(bytes[at]))) at += 1;
    if (at === last) return { from, to: last, kind: 'hex', lined };
  }
  return { from: first, to: last, kind: 'base64', lined };
};

/** The bytes that a row stands for. */
export const decodeText = (row: Buffer, kind: TextKind): Buffer => {
  const text = row.toString('latin1');
  // Node stops at a line break in hex, and passes over it in base64.
  return Buffer.from(kind === 'hex' ? text.replace(/[\r\n]+/g, '') : text, kind);
};

/** Decodes a row of any length, part by part, and says how long it was. */
export const textDecoder =
  ({ kind, lined }: TextRun, ended: (length: number) => void): DecoderOf =>
  (inner) => {
    let length = 0;
    let rest = Buffer.alloc(0);
    let over = false;
    const finish = async (): Promise<void> => {
      if (over) return;
      over = true;
      ended(length);
      await inner.push(decodeText(rest, kind));
      await inner.end();
    };
    return {
      async push(bytes) {
        let at = 0;
        while (at < bytes.length && (isLetter(bytes[at]) || (lined && isBreak(bytes[at])))) at += 1;
        length += at;
        const row = Buffer.concat([rest, lettersOf(bytes.subarray(0, at))]);
        const whole = row.length - (row.length % 4);
        rest = row.subarray(whole);
        await inner.push(decodeText(row.subarray(0, whole), kind));
        if (at === bytes.length) return true;
        await finish();
        return false;
      },
      end: finish,
    };
  };

const lettersOf = (bytes: Buffer): Buffer =>
  bytes.includes(LF) || bytes.includes(CR) ? Buffer.from(bytes.filter((byte) => !isBreak(byte))) : Buffer.from(bytes);
