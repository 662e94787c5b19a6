import type { EventStore, Position, StoredEvent } from '#ledger';
import type { ChainPoint } from './link.js';
import { GENESIS, linked } from './link.js';

/** How many events are held at a time. */
const BATCH = 500;

/** An event in its place in the chain. */
export interface Folded {
  readonly event: StoredEvent;
  readonly before: ChainPoint;
  readonly point: ChainPoint;
}

/** Where a fold begins: after this place of the chain, which the server has at this position. */
export interface FoldFrom {
  readonly point: ChainPoint;
  readonly after?: Position;
}

/**
 * Links everything from a place on to the end of the log, a batch at a time, so that a log of any length takes the same
 * memory. What is appended meanwhile may or may not be in it. Throws `store-unavailable`.
 */
export async function* fold(
  store: EventStore,
  { point, after }: FoldFrom = { point: GENESIS },
): AsyncGenerator<readonly Folded[]> {
  for (;;) {
    const events = await store.forwards({ ...(after === undefined ? {} : { after }), maxCount: BATCH });
    const batch = events.map((event): Folded => {
      const before = point;
      point = linked(before, event);
      return { event, before, point };
    });
    if (batch.length > 0) yield batch;
    if (events.length < BATCH) return;
    after = events.at(-1)!.position;
  }
}
