import type { Expected, Place } from './event.js';

/** What a decision needs to know of a stream. */
export interface StreamState {
  /** Revision of the last event, -1 without events. */
  readonly revision: number;
  /** Events stand in its metadata stream `$$name`. */
  readonly hasMetadata: boolean;
  /** The newest event of this stream with this id. */
  find(id: string): Place | undefined;
  /** Ids and positions of the events from this revision on, at most `count`. */
  from(revision: number, count: number): Promise<readonly (Place & { readonly id: string })[]>;
}

export type Decision =
  | { readonly kind: 'write' }
  /** Was written before: answered as then, and nothing is written. */
  | { readonly kind: 'repeat'; readonly place: Place }
  | { readonly kind: 'wrong-revision' };

const WRITE: Decision = { kind: 'write' };
const WRONG: Decision = { kind: 'wrong-revision' };

/**
 * Expected revision and idempotency, the same for both append paths, as measured on EventStoreDB 24.6:
 *  - an expectation that holds writes, known ids or not (`any` and `stream_exists` look at the ids first);
 *  - `any`, `stream_exists`: first id unknown in the stream, write; all known, a repeat; known then unknown, refused;
 *  - a revision that has passed: the ids equal the events that follow it, a repeat; otherwise refused.
 * The vendor remembers recent ids only, in memory; here all of them count, for ever.
 */
export const decide = async (expected: Expected, ids: readonly string[], state: StreamState): Promise<Decision> => {
  if (expected === 'any') return decideByIds(ids, state);
  if (expected === 'stream_exists') {
    if (state.revision < 0) return state.hasMetadata ? WRITE : WRONG;
    return decideByIds(ids, state);
  }
  const wanted = expected === 'no_stream' ? -1 : expected;
  if (wanted === state.revision) return WRITE;
  if (wanted > state.revision || ids.length === 0) return WRONG;
  const followers = await state.from(wanted + 1, ids.length);
  const same = followers.length === ids.length && followers.every(({ id }, index) => id === ids[index]);
  return same ? { kind: 'repeat', place: followers.at(-1)! } : WRONG;
};

const decideByIds = (ids: readonly string[], state: StreamState): Decision => {
  const [first, last] = [ids[0], ids.at(-1)];
  if (first === undefined || last === undefined || !state.find(first)) return WRITE;
  return ids.every((id) => state.find(id)) ? { kind: 'repeat', place: state.find(last)! } : WRONG;
};
