import type { EventLog } from './event-log.js';
import type { StoredEvent } from './event.js';

/** Events in order, or the mark that there are no more for now. */
export type Followed = readonly StoredEvent[] | 'caught-up';

/** How many events of the tail are handed on at a time. */
const STEP = 256;

/**
 * The log after a position, for ever. What is recent comes from memory, what is older, or was missed by a slow reader, from the database:
 * either way the next event is the one after the last, so none is missed and none comes twice. Ends on the signal.
 */
export async function* followAll(
  log: EventLog,
  start: number | 'start' | 'end',
  signal: AbortSignal,
): AsyncGenerator<Followed> {
  let at = start === 'start' ? 0 : start === 'end' ? log.tail.head : start;
  let live = false;
  while (!signal.aborted) {
    const recent = log.tail.after(at, STEP);
    const events = recent ?? (await log.allPage('forwards', at + 1, Number.MAX_SAFE_INTEGER)).events;
    if (events.length > 0) {
      if (!recent) live = false;
      at = events.at(-1)!.position;
      yield events;
      continue;
    }
    if (!live) yield 'caught-up';
    live = true;
    await log.tail.advanced(at, signal);
  }
}

/** One stream after a revision, for ever; like `followAll`. A stream that does not exist yet is waited for. */
export async function* followStream(
  log: EventLog,
  stream: string,
  start: number | 'start' | 'end',
  signal: AbortSignal,
): AsyncGenerator<Followed> {
  let revision = start === 'start' ? -1 : start === 'end' ? await lastRevision(log, stream) : start;
  /** Up to here the log holds nothing of the stream beyond `revision`. `undefined`: not known, the database must be asked. */
  let considered: number | undefined;
  let live = false;
  while (!signal.aborted) {
    if (considered === undefined) {
      // Taken before the query: what it leaves out was written after this.
      const head = log.tail.head;
      const { events, atEnd } = await log.streamPage(stream, 'forwards', revision + 1, Number.MAX_SAFE_INTEGER);
      if (events.length > 0) yield events;
      revision = events.at(-1)?.revision ?? revision;
      if (atEnd) considered = head;
      continue;
    }
    const recent = log.tail.after(considered, STEP);
    if (recent === undefined) {
      [considered, live] = [undefined, false];
    } else if (recent.length > 0) {
      considered = recent.at(-1)!.position;
      const events = recent.filter((event) => event.stream === stream && event.revision > revision);
      revision = events.at(-1)?.revision ?? revision;
      if (events.length > 0) yield events;
    } else {
      if (!live) yield 'caught-up';
      live = true;
      await log.tail.advanced(considered, signal);
    }
  }
}

const lastRevision = async (log: EventLog, stream: string): Promise<number> =>
  (await log.streamPage(stream, 'backwards', Number.MAX_SAFE_INTEGER, 1)).events[0]?.revision ?? -1;
