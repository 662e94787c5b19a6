import type streams from '@eventstore/db-client/generated/streams_pb.js';
import type { StoredEvent } from '../store/event.js';
import { invalidArgument } from './statuses.js';

/** A filter of `$all`. */
export interface EventFilter {
  readonly matches: (event: StoredEvent) => boolean;
  /** A checkpoint is due after so many events, matching or not. */
  readonly checkpointInterval: number;
}

const DEFAULT_WINDOW = 32;

/**
 * Event type or stream name, by regular expression (unanchored; it wins) or by prefixes (case sensitive, one is enough, none match
 * nothing). JavaScript's regular expressions, where real servers have .NET's: the same for everything but corner cases.
 */
export const filterOf = (options: streams.ReadReq.Options.FilterOptions): EventFilter => {
  const byStream = options.getStreamIdentifier();
  const expression = byStream ?? options.getEventType();
  if (!expression) throw invalidArgument('The filter says neither event type nor stream name.');
  const test = testOf(expression.getRegex(), expression.getPrefixList());
  const multiplier = options.getCheckpointintervalmultiplier();
  if (multiplier < 1) throw invalidArgument('The checkpoint interval must be 1 or more.');
  const window = options.hasMax() ? options.getMax() : DEFAULT_WINDOW;
  if (window < 1) throw invalidArgument('The search window must be 1 or more.');
  return {
    matches: byStream ? ({ stream }) => test(stream) : ({ type }) => test(type),
    checkpointInterval: multiplier * window,
  };
};

const testOf = (regex: string, prefixes: readonly string[]): ((text: string) => boolean) => {
  if (regex === '') return (text) => prefixes.some((prefix) => text.startsWith(prefix));
  try {
    const expression = new RegExp(regex, 'u');
    return (text) => expression.test(text);
  } catch {
    throw invalidArgument('The regular expression of the filter is not valid.');
  }
};
