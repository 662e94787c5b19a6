import type { EventStore, Position, StoredEvent } from '#ledger';
import { acceptedSeams, seamOf } from './accepted-seams.js';
import { LogCheckpointed } from './chain.events.js';
import type { Checkpoint, LoggedCheckpoint } from './checkpoint.js';
import { VAULT_LEDGER } from './checkpoint.js';

const FIRST_PAGE = 8;
const PAGE = 256;

/** Whether an event is a checkpoint: what has the name in another stream is none. */
export const isCheckpoint = ({ stream, type }: Pick<StoredEvent, 'stream' | 'type'>): boolean =>
  stream === VAULT_LEDGER && type === LogCheckpointed.type;

/** The stream's end, and the newest checkpoint in it. */
export interface LastCheckpoint {
  /** Of the stream's last event, whatever it is; undefined when there is no stream. */
  readonly revision: bigint | undefined;
  readonly checkpoint: LoggedCheckpoint | undefined;
}

/** Reads the stream backwards as far as it must; one that two persons have set aside does not count. Throws `store-unavailable`. */
export const lastCheckpoint = async (store: EventStore): Promise<LastCheckpoint> => {
  const seams = await acceptedSeams(store);
  let revision: bigint | undefined;
  for await (const page of pagesBackwards(store)) {
    revision ??= page[0]?.revision;
    const found = page
      .filter(isCheckpoint)
      .map(checkpointOf)
      .find((checkpoint) => !seamOf(checkpoint, seams));
    if (found) return { revision, checkpoint: found };
  }
  return { revision, checkpoint: undefined };
};

/** Every checkpoint that stands up to a position, the newest first. Throws `store-unavailable`. */
export async function* checkpointsUpTo(store: EventStore, head: Position): AsyncGenerator<LoggedCheckpoint> {
  for await (const page of pagesBackwards(store))
    yield* page.filter((event) => isCheckpoint(event) && event.position <= head).map(checkpointOf);
}

async function* pagesBackwards(store: EventStore): AsyncGenerator<readonly StoredEvent[]> {
  let before: bigint | undefined;
  for (let maxCount = FIRST_PAGE; ; maxCount = PAGE) {
    const page = await store.tail(VAULT_LEDGER, { ...(before === undefined ? {} : { before }), maxCount });
    yield page;
    if (page.length < maxCount) return;
    before = page.at(-1)!.revision;
  }
}

/** What the event says, taken as it is: whether it is true is for the signature and the fold to tell. */
const checkpointOf = ({ id, revision, position, data }: StoredEvent): LoggedCheckpoint => ({
  ...(data as unknown as Checkpoint),
  eventId: id,
  revision,
  standsAt: position,
});
