import type { Direction, EventStoreDBClient, ReadPosition } from '@eventstore/db-client';
import { BACKWARDS, END, FORWARDS, START } from '@eventstore/db-client';
import type { StoredEvent } from './event-store.js';
import { storedEvent } from './stored-event.js';
import { wholeRead } from './whole-read.js';
import type { Position } from './types.js';

/** So many events at most are asked for at a time, however many system events stand between those that are wanted. */
const PAGE = 500;

interface Walk {
  readonly direction: Direction;
  readonly start: ReadPosition;
  /** Met again when a walk forwards goes on: there a server counts a position in, backwards it leaves it out. */
  readonly seen?: Position;
  readonly maxCount: number;
  readonly silenceMs: number;
}

/** Events of `$all` without system events, up to `maxCount`; fewer only at that end of the log. */
const walk = async (
  client: EventStoreDBClient,
  { direction, start, seen, maxCount, silenceMs }: Walk,
): Promise<StoredEvent[]> => {
  const found: StoredEvent[] = [];
  let fromPosition = start;
  let last = seen;
  for (let asked = Math.min(maxCount + 1, PAGE); found.length < maxCount; asked = Math.min(asked * 4, PAGE)) {
    const page = await wholeRead(client.readAll({ direction, fromPosition, maxCount: asked }), silenceMs);
    found.push(...page.flatMap(storedEvent).filter(({ type, position }) => !type.startsWith('$') && position !== last));
    const end = page.at(-1)?.event?.position;
    if (page.length < asked || end === undefined) break;
    fromPosition = end;
    last = end.commit;
  }
  return found.slice(0, maxCount);
};

const at = (position: Position): ReadPosition => ({ commit: position, prepare: position });

/** The first event at or after a position, a system event too. */
export const eventAt = async (
  client: EventStoreDBClient,
  position: Position,
  silenceMs: number,
): Promise<StoredEvent | undefined> =>
  (
    await wholeRead(client.readAll({ direction: FORWARDS, fromPosition: at(position), maxCount: 1 }), silenceMs)
  ).flatMap(storedEvent)[0];

/** What `EventStore.forwards` promises. Rejects with the client's errors. */
export const forwardsFrom = (
  client: EventStoreDBClient,
  { after, maxCount, silenceMs }: { after?: Position; maxCount: number; silenceMs: number },
) =>
  walk(client, {
    direction: FORWARDS,
    start: after === undefined ? START : at(after),
    ...(after === undefined ? {} : { seen: after }),
    ...{ maxCount, silenceMs },
  });

/** What `EventStore.backwards` promises. Rejects with the client's errors. */
export const backwardsFrom = (
  client: EventStoreDBClient,
  { from, maxCount, silenceMs }: { from?: Position; maxCount: number; silenceMs: number },
) => walk(client, { direction: BACKWARDS, start: from === undefined ? END : at(from), maxCount, silenceMs });
