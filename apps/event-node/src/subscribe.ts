import { newId } from '#kernel';
import type { Outbox } from './outbox.js';
import { encodeCaughtUp, encodeCheckpoint, encodeConfirmation } from './protocol/read-messages.js';
import type { ReadRequest } from './protocol/read-request.js';
import { encodeReadEvent } from './protocol/recorded-event.js';
import type { EventFilter } from './protocol/filter.js';
import { followAll, followStream } from './store/follow.js';
import type { EventLog } from './store/event-log.js';

type Subscription = Extract<ReadRequest, { kind: 'subscribe-all' | 'subscribe-stream' }>;

/** Confirmation, history, caught-up, then what comes, until the signal. Rejects with `database-unavailable`. */
export const subscribe = async (
  request: Subscription,
  outbox: Outbox,
  log: EventLog,
  signal: AbortSignal,
): Promise<void> => {
  await outbox.send(encodeConfirmation(newId()));
  const filter = request.kind === 'subscribe-all' ? request.filter : undefined;
  const checkpoints = filter && new Checkpoints(filter, outbox);
  const followed =
    request.kind === 'subscribe-all'
      ? followAll(log, request.start, signal)
      : followStream(log, request.stream, request.start, signal);
  for await (const batch of followed) {
    if (batch === 'caught-up') {
      await checkpoints?.caughtUp();
      await outbox.send(encodeCaughtUp());
      continue;
    }
    for (const event of batch) {
      if (!filter || filter.matches(event)) {
        const full = outbox.send(encodeReadEvent(event));
        if (full) await full;
      }
      await checkpoints?.considered(event.position);
      if (signal.aborted) return;
    }
  }
};

/** Tells the reader of a filtered `$all` how far it has been looked through, so that it need not start over from its last match. */
class Checkpoints {
  #sinceLast = 0;
  #position = 0;

  constructor(
    private readonly filter: EventFilter,
    private readonly outbox: Outbox,
  ) {}

  considered(position: number): Promise<void> | undefined {
    this.#position = position;
    return ++this.#sinceLast >= this.filter.checkpointInterval ? this.#send() : undefined;
  }

  caughtUp(): Promise<void> | undefined {
    return this.#sinceLast > 0 ? this.#send() : undefined;
  }

  #send(): Promise<void> | undefined {
    this.#sinceLast = 0;
    return this.outbox.send(encodeCheckpoint(this.#position));
  }
}
