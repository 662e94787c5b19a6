import type { Probes, View } from './probes.js';
import { SPREAD } from './probes.js';

const { imul } = Math;

/**
 * The inner loop of everything: from `from` on, at each place, two looks into tables, by two bytes and by four. Gives the
 * first place before `to` where something may begin, or `to`. The last three bytes of a content begin nothing.
 */
export const nextPlace = ({ pairs, filter }: Probes, bytes: Buffer, from: number, to: number): number => {
  const end = to < bytes.length - 3 ? to : bytes.length - 3;
  if (from >= end) return to;
  const spread = SPREAD | 0;
  let word = (bytes[from]! << 16) | (bytes[from + 1]! << 8) | bytes[from + 2]!;
  for (let at = from; at < end; at++) {
    word = (word << 8) | bytes[at + 3]!;
    if (pairs[word >>> 16] !== 0 || filter[imul(word, spread) >>> 16] !== 0) return at;
  }
  return to;
};

/** Calls what waits for the bytes at this place. */
export const lookAt = ({ pairs, filter, lists, byHead }: Probes, view: View, at: number): void => {
  const word = view.bytes.readUInt32BE(at);
  if (filter[imul(word, SPREAD) >>> 16] !== 0) for (const probe of byHead) probe(view, at);
  for (const probe of lists[pairs[word >>> 16]!]!) probe(view, at);
};
