import type { ReadCall } from './outbox.js';
import { Outbox } from './outbox.js';
import { encodeStreamNotFound } from './protocol/read-messages.js';
import { toReadRequest, type ReadRequest } from './protocol/read-request.js';
import { encodeReadEvent } from './protocol/recorded-event.js';
import { failureOfError, shuttingDown } from './protocol/statuses.js';
import type { EventLog } from './store/event-log.js';
import type { StoredEvent } from './store/event.js';
import type { Direction } from './store/pages.js';
import { subscribe } from './subscribe.js';

type CountedRead = Extract<ReadRequest, { kind: 'read-stream' | 'read-all' }>;

/** The handler of `Streams.Read`: reads that end, and subscriptions that don't. `closing` ends those. */
export const read =
  (log: EventLog, closing: AbortSignal) =>
  (call: ReadCall): void => {
    serve(call, log, closing).then(
      () => call.end(),
      (error: unknown) => call.emit('error', failureOfError(error)),
    );
  };

const serve = async (call: ReadCall, log: EventLog, closing: AbortSignal): Promise<void> => {
  const request = toReadRequest(call.request);
  const outbox = new Outbox(call);
  if (request.kind === 'read-all' || request.kind === 'read-stream') return readCounted(request, outbox, log);
  await subscribe(request, outbox, log, AbortSignal.any([closing, outbox.gone]));
  // A subscription never ends by itself: a client that saw it end would believe that it has everything.
  if (!outbox.gone.aborted) throw shuttingDown();
};

const readCounted = async (request: CountedRead, outbox: Outbox, log: EventLog): Promise<void> => {
  const first = firstOf(request);
  let left = request.count;
  let found = false;
  if (first !== undefined && left > 0) {
    const filter = request.kind === 'read-all' ? request.filter : undefined;
    for await (const page of pages(request, first, log, outbox.gone)) {
      found = true;
      for (const event of page) {
        if (filter && !filter.matches(event)) continue;
        const full = outbox.send(encodeReadEvent(event));
        if (full) await full;
        if (--left === 0) return;
        if (outbox.gone.aborted) return;
      }
    }
  }
  if (!found && request.kind === 'read-stream' && !(await log.streamExists(request.stream)))
    await outbox.send(encodeStreamNotFound(request.stream));
};

/** The first revision or position to look at, `undefined` when there is nothing in that direction. */
const firstOf = ({ kind, direction, start }: CountedRead): number | undefined => {
  if (direction === 'forwards') return start === 'end' ? undefined : start === 'start' ? 0 : start;
  if (start === 'end') return Number.MAX_SAFE_INTEGER;
  if (kind === 'read-stream') return start === 'start' ? 0 : start;
  // Backwards through $all a position is exclusive, through a stream a revision is inclusive: that is how real servers do it.
  return start === 'start' || start === 0 ? undefined : start - 1;
};

/** Pages in the direction of the read; the next one is fetched while this one is on its way to the client. */
async function* pages(
  request: CountedRead,
  first: number,
  log: EventLog,
  gone: AbortSignal,
): AsyncGenerator<readonly StoredEvent[]> {
  const fetch = (start: number, limit: number) =>
    request.kind === 'read-all'
      ? log.allPage(request.direction, start, limit)
      : log.streamPage(request.stream, request.direction, start, limit);
  const filtered = request.kind === 'read-all' && request.filter !== undefined;
  let left = request.count;
  let page = fetch(first, filtered ? Number.MAX_SAFE_INTEGER : left);
  for (;;) {
    const { events, atEnd } = await page;
    if (events.length === 0 || gone.aborted) return;
    if (!filtered) left -= events.length;
    const next = nextOf(request.kind, request.direction, events.at(-1)!);
    const more = !atEnd && left > 0 && next >= 0;
    if (more) {
      page = fetch(next, filtered ? Number.MAX_SAFE_INTEGER : left);
      page.catch(() => {}); // it is awaited in the next turn, unless the reader has left by then
    }
    yield events;
    if (!more) return;
  }
}

const nextOf = (kind: CountedRead['kind'], direction: Direction, last: StoredEvent): number =>
  (kind === 'read-all' ? last.position : last.revision) + (direction === 'forwards' ? 1 : -1);
