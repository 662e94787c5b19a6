import { REACH } from '../reading/probes.js';

/** Ids and small numbers that stand near something sealed: one of them is where it belongs. */
export interface Neighbours {
  readonly ids: readonly string[];
  readonly numbers: readonly number[];
}

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;
/** Epochs and generations; longer rows of digits are something else. */
const NUMBER = /(?<![\w.-])\d{1,6}(?![\w.-])/g;
const HALF = REACH / 3;
/** A row of a table, laid out in lines. */
const NEARBY = 512;
const LF = 0x0a;

/** What stands in the same line of a text (a row of a dump, a line of JSON), up to 4 kB to either side. */
export const lineAround = (bytes: Buffer, from: number, to: number): { before: string; after: string } => {
  const first = Math.max(bytes.lastIndexOf(LF, from) + 1, from - HALF, 0);
  const end = bytes.indexOf(LF, to);
  const last = Math.min(end < 0 ? bytes.length : end, to + HALF);
  return { before: bytes.toString('latin1', first, from), after: bytes.toString('latin1', to, last) };
};

/** Ids and numbers of a text, each once, the nearest to its end first. */
export const idsIn = (text: string): string[] => [
  ...new Set((text.match(ID) ?? []).map((id) => id.toLowerCase()).reverse()),
];

/** In the same line; where it has no id (JSON that was laid out for people), in the lines around. */
export const neighboursIn = (bytes: Buffer, from: number, to: number): Neighbours => {
  const { before, after } = lineAround(bytes, from, to);
  const line = `${before} ${after}`;
  if (idsIn(line).length > 0) return neighboursOf(line);
  const [first, last] = [Math.max(0, from - NEARBY), Math.min(bytes.length, to + NEARBY)];
  return neighboursOf(`${bytes.toString('latin1', first, from)} ${bytes.toString('latin1', to, last)}`);
};

const neighboursOf = (text: string): Neighbours => ({
  ids: idsIn(text),
  numbers: [...new Set((text.replace(ID, ' ').match(NUMBER) ?? []).map(Number))],
});

/** 16 bytes as the text of a UUID; `undefined` where there are fewer. */
export const idAt = (bytes: Buffer, at: number): string | undefined =>
  at < 0 || at + 16 > bytes.length
    ? undefined
    : bytes.toString('hex', at, at + 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');

/** Whether 16 bytes are a UUID of version 4 or 7 (RFC 9562). */
export const isIdAt = (bytes: Buffer, at: number): boolean =>
  at >= 0 && at + 16 <= bytes.length && [4, 7].includes(bytes[at + 6]! >> 4) && bytes[at + 8]! >> 6 === 2;
