import type { View } from '../reading/probes.js';
import { idAt, idsIn, isIdAt, lineAround } from './neighbours.js';

/** What a block is bound to beside its stream and scope. */
export interface EventHead {
  readonly eventId: string;
  readonly type: string;
}

const TYPE = /[a-z]+(?:-[a-z]+)*(?:\.[a-z]+(?:-[a-z]+)*)+/g;
const MOST_IDS = 16;

/**
 * Heads of events that may stand near an occurrence of their stream's name: in a row of the event store (stream, revision,
 * event_id, type, … with ids as bytes), or in a line of JSON or of a dump.
 */
export const headsAt = ({ bytes }: View, at: number, stream: string): EventHead[] => {
  const row = rowHead(bytes, at + stream.length);
  if (row) return [row];
  const { before, after } = lineAround(bytes, at, at + stream.length);
  const text = `${before} ${after}`;
  const types = new Set(text.match(TYPE));
  return idsIn(text)
    .slice(0, MOST_IDS)
    .flatMap((eventId) => [...types].map((type) => ({ eventId, type })));
};

/** Behind the stream's name: zeros up to a multiple of eight, the revision (8), the id (16), the type with its length. */
const rowHead = (bytes: Buffer, end: number): EventHead | undefined => {
  for (let padding = 0; padding < 8; padding++) {
    const id = end + padding + 8;
    const head = bytes[id + 16];
    if (head === undefined || (head & 1) === 0 || !isIdAt(bytes, id)) continue;
    const type = bytes.toString('latin1', id + 17, id + 16 + (head >> 1));
    if (new RegExp(`^${TYPE.source}$`).test(type)) return { eventId: idAt(bytes, id)!, type };
  }
  return undefined;
};
