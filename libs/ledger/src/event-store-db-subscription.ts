import type { AllStreamResolvedEvent, EventStoreDBClient } from '@eventstore/db-client';
import { START, excludeSystemEvents } from '@eventstore/db-client';
import { storedEvent } from './stored-event.js';
import type { StoredBatch } from './event-store.js';
import { translateStoreError } from './store-errors.js';
import type { Position } from './types.js';

/** So many batches at most wait for whoever takes them. */
const BATCHES_AHEAD = 2;

/**
 * Until the end of the log is met, a batch that is not full waits so long for more. The client gives sixteen events at a time, and
 * each batch costs whoever takes it a call for its keys and a transaction.
 */
const GATHER_MS = 20;

/**
 * A catch-up subscription to `$all` without system events, in batches: whatever has arrived, up to `maxBatch`, at the end of the
 * log at once. What nobody asks for is not taken: that is the back-pressure. A broken connection throws
 * `store-unavailable`: the caller starts again after its checkpoint. Checkpoints of filtered events come as batches without
 * events.
 */
export async function* batchesOf(
  client: EventStoreDBClient,
  options: { after?: Position; maxBatch: number; signal?: AbortSignal },
): AsyncGenerator<StoredBatch> {
  let considered: Position = options.after ?? 0n;
  let live = false;
  let announced = false;
  let failure: unknown;
  let ended = false;
  let wake: () => void = () => undefined;
  let gatherUntilMs: number | undefined;
  const stir = () => wake();

  const subscription = client.subscribeToAll({
    fromPosition: options.after === undefined ? START : { commit: options.after, prepare: options.after },
    filter: excludeSystemEvents({
      maxSearchWindow: options.maxBatch,
      checkpointInterval: 1,
      checkpointReached: (_subscription, position) => {
        pendingCheckpoint = position.commit;
        stir();
      },
    }),
  });
  let pendingCheckpoint: Position | undefined;
  // The stream itself holds sixteen events: taken only when a batch is asked for, they would make batches of a few.
  const arrived: AllStreamResolvedEvent[] = [];
  const take = (event: AllStreamResolvedEvent) => {
    arrived.push(event);
    if (arrived.length >= BATCHES_AHEAD * options.maxBatch) subscription.pause();
    // Far from the end only a full batch is worth a look, and the first of one, which begins the wait for the others.
    if (live || arrived.length === 1 || arrived.length >= options.maxBatch) stir();
  };
  subscription.on('data', take);
  subscription.on('caughtUp', () => {
    live = true;
    stir();
  });
  subscription.on('error', (error) => {
    failure = error;
    stir();
  });
  subscription.on('close', () => {
    ended = true;
    stir();
  });
  subscription.on('end', () => {
    ended = true;
    stir();
  });
  const abort = () => stir();
  options.signal?.addEventListener('abort', abort);

  try {
    while (!options.signal?.aborted) {
      if (arrived.length > 0 && arrived.length < options.maxBatch && !live && failure === undefined && !ended) {
        gatherUntilMs ??= performance.now() + GATHER_MS;
        const remainingMs = gatherUntilMs - performance.now();
        if (remainingMs > 0) {
          const { promise, resolve } = Promise.withResolvers<void>();
          const timer = setTimeout(resolve, remainingMs);
          wake = resolve;
          await promise;
          clearTimeout(timer);
          continue;
        }
      }
      gatherUntilMs = undefined;
      const found = arrived.splice(0, options.maxBatch);
      if (subscription.isPaused()) subscription.resume();
      const nothingLeft = arrived.length === 0 && subscription.readableLength === 0;
      if (found.length > 0) {
        considered = found.at(-1)?.event?.position?.commit ?? considered;
        // As the batch says it: the end may be met while the batch is out, and is then still to be announced.
        const atEnd = live && nothingLeft;
        yield { events: found.flatMap(storedEvent), position: considered, live: atEnd };
        announced = atEnd;
        continue;
      }
      // A checkpoint counts only once every event before it has been read: the stream delivers both in order.
      if (pendingCheckpoint !== undefined && nothingLeft) {
        const reached = pendingCheckpoint;
        pendingCheckpoint = undefined;
        if (reached > considered) {
          considered = reached;
          yield { events: [], position: considered, live };
          continue;
        }
      }
      if (live && !announced && nothingLeft) {
        announced = true;
        yield { events: [], position: considered, live };
        continue;
      }
      if (failure !== undefined) throw translateStoreError(failure);
      if (ended) throw translateStoreError({ code: 14 });
      await new Promise<void>((resolve) => {
        wake = resolve;
        // What came between the last look and now must not wait for the next stir.
        if (arrived.length > 0) resolve();
        if (failure !== undefined || ended || options.signal?.aborted) resolve();
      });
    }
  } finally {
    options.signal?.removeEventListener('abort', abort);
    subscription.removeListener('data', take);
    await subscription.unsubscribe().catch(() => undefined);
  }
}
