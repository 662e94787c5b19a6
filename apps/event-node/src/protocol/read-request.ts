import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { Direction } from '../store/pages.js';
import { filterOf, type EventFilter } from './filter.js';
import { invalidArgument } from './statuses.js';

/** Where a read begins: a revision in a stream, a position in the log. */
export type Start = number | 'start' | 'end';

export type ReadRequest =
  | {
      readonly kind: 'read-stream';
      readonly stream: string;
      readonly direction: Direction;
      readonly start: Start;
      readonly count: number;
    }
  | {
      readonly kind: 'read-all';
      readonly direction: Direction;
      readonly start: Start;
      readonly count: number;
      readonly filter: EventFilter | undefined;
    }
  | { readonly kind: 'subscribe-stream'; readonly stream: string; readonly start: Start }
  | { readonly kind: 'subscribe-all'; readonly start: Start; readonly filter: EventFilter | undefined };

/**
 * Reads a ReadReq. Refuses with INVALID_ARGUMENT what real servers refuse: a subscription backwards, a filter on one stream.
 * `resolve_links` changes nothing: this log holds no links. Ids are always sent as text, whatever form was asked for.
 */
export const toReadRequest = (request: streams.ReadReq): ReadRequest => {
  const options = request.getOptions();
  if (!options) throw invalidArgument('The options are missing.');
  const direction: Direction =
    options.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS ? 'backwards' : 'forwards';
  const subscribe = options.hasSubscription();
  if (!subscribe && !options.hasCount()) throw invalidArgument('Neither a count nor a subscription was asked for.');
  if (subscribe && direction === 'backwards') throw invalidArgument('A subscription goes forwards.');
  const count = subscribe ? 0 : Number(options.getCount());
  const ofStream = options.getStream();
  const ofAll = options.getAll();
  const filter = options.getFilter();
  if (ofStream) {
    if (filter) throw invalidArgument('Only $all can be filtered.');
    const stream = nameOf(ofStream);
    const start = startOf(ofStream, () => ofStream.getRevision());
    return subscribe
      ? { kind: 'subscribe-stream', stream, start }
      : { kind: 'read-stream', stream, direction, start, count };
  }
  if (!ofAll) throw invalidArgument('Neither a stream nor $all was asked for.');
  const start = startOf(ofAll, () => ofAll.getPosition()!.getCommitPosition());
  const test = filter && filterOf(filter);
  return subscribe
    ? { kind: 'subscribe-all', start, filter: test }
    : { kind: 'read-all', direction, start, count, filter: test };
};

const nameOf = (options: streams.ReadReq.Options.StreamOptions): string => {
  const name = Buffer.from(options.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString('utf8');
  if (name === '' || name === '$$') throw invalidArgument('The stream has no name.');
  // PostgreSQL has no text with a zero byte, so there is no such stream; asking for it would be an error of the query.
  if (name.includes('\0')) throw invalidArgument('The stream name holds a zero byte.');
  return name;
};

const startOf = (options: { hasStart(): boolean; hasEnd(): boolean }, place: () => string): Start => {
  if (options.hasStart()) return 'start';
  if (options.hasEnd()) return 'end';
  const value = BigInt(place());
  if (value === UINT64_MAX) return 'end';
  if (value > INT64_MAX) throw invalidArgument('The place to start from is beyond every log.');
  return Number(value > MAX_SAFE ? MAX_SAFE : value);
};

const UINT64_MAX = 2n ** 64n - 1n;
const INT64_MAX = 2n ** 63n - 1n;
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
