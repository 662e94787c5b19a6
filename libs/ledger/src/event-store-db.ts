import type { BinaryEventData, ReadStreamOptions } from '@eventstore/db-client';
import { BACKWARDS, END } from '@eventstore/db-client';
import { EventStoreClient } from './event-store-client.js';
import { backwardsFrom, eventAt, forwardsFrom } from './event-store-db-pages.js';
import { batchesOf } from './event-store-db-subscription.js';
import type { EventToStore, StoredEvent } from './event-store.js';
import { EventStore } from './event-store.js';
import { storedEvent } from './stored-event.js';
import { isStreamMissing } from './store-errors.js';
import type { ExpectedRevision, Position, StreamName } from './types.js';
import { READ_SILENCE_MS, wholeRead } from './whole-read.js';

/** The server gives an append up at its deadline, and says so; after so much more nothing is to be expected, and nothing lands. */
const LATE_ANSWER_MS = 3_000;

/** An EventStoreDB-protocol server through the vendor's client: our event node, EventStoreDB, KurrentDB. */
export class EventStoreDb extends EventStore {
  readonly #client: EventStoreClient;

  /** `url`: what the vendor's client takes, `esdb://user:password@host:port?…`. Throws InvalidSetting. Connects at the first call. */
  constructor(
    url: string,
    private readonly silenceMs = READ_SILENCE_MS,
  ) {
    super();
    this.#client = new EventStoreClient(url);
  }

  async append(stream: StreamName, expected: ExpectedRevision, events: readonly EventToStore[], deadlineMs: number) {
    const deadline = leftOf(deadlineMs);
    const result = await this.#client.callWithin(deadlineMs + LATE_ANSWER_MS, (client) =>
      client.appendToStream(stream, events.map(jsonEvent), {
        expectedRevision: expected === 'no-stream' ? 'no_stream' : expected,
        deadline,
      }),
    );
    return { position: result.position?.commit ?? 0n, revision: result.nextExpectedRevision };
  }

  async read(stream: StreamName): Promise<readonly StoredEvent[]> {
    return this.#readStream(stream, {});
  }

  async tail(
    stream: StreamName,
    { before, maxCount }: { before?: bigint; maxCount: number },
  ): Promise<readonly StoredEvent[]> {
    if (before === 0n || maxCount <= 0) return [];
    const fromRevision = before === undefined ? END : before - 1n;
    return this.#readStream(stream, { direction: BACKWARDS, fromRevision, maxCount });
  }

  subscribe(options: { after?: Position; maxBatch: number; signal?: AbortSignal }) {
    return this.#client.iterate((client) => batchesOf(client, options));
  }

  async forwards(options: { after?: Position; maxCount: number }): Promise<readonly StoredEvent[]> {
    return this.#client.call((client) => forwardsFrom(client, { ...options, silenceMs: this.silenceMs }));
  }

  async backwards(options: { from?: Position; maxCount: number }): Promise<readonly StoredEvent[]> {
    return this.#client.call((client) => backwardsFrom(client, { ...options, silenceMs: this.silenceMs }));
  }

  async eventAt(position: Position): Promise<StoredEvent | undefined> {
    const found = await this.#client.call((client) => eventAt(client, position, this.silenceMs));
    return found?.position === position ? found : undefined;
  }

  async head(): Promise<Position> {
    return (await this.backwards({ maxCount: 1 }))[0]?.position ?? 0n;
  }

  async #readStream(stream: StreamName, options: ReadStreamOptions): Promise<readonly StoredEvent[]> {
    return this.#client.call(async (client) => {
      try {
        return (await wholeRead(client.readStream(stream, options), this.silenceMs)).flatMap(storedEvent);
      } catch (error) {
        if (isStreamMissing(error)) return [];
        throw error;
      }
    });
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

/**
 * Goes as the bytes that it is sent as. Of an object the client (6.2.1) makes base64 first and decodes that twice over, in
 * JavaScript: a third of what a batch costs this process. It takes data as bytes only of an event that it calls no JSON; `batchStreamsOf`
 * says what it is.
 */
const jsonEvent = ({ id, type, data, metadata }: EventToStore): BinaryEventData => ({
  ...{ id, type, contentType: 'application/octet-stream' },
  ...{ data: jsonBytes(data), metadata: jsonBytes(metadata) },
});

const jsonBytes = (value: object): Uint8Array => {
  const bytes = Buffer.from(JSON.stringify(value));
  // As the client wants it: it goes by the constructor, and would copy a Buffer byte by byte.
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
};

/**
 * The vendor's client makes an instant of the deadline only when it writes, and before that it may wait for a connection, or
 * for the server's features without any limit (6.2.1). A number counted from then could let an append land after the lease of
 * its keys; this one is read as what is left at that moment, and lies in the past when nothing is.
 */
const leftOf = (deadlineMs: number): number => {
  const untilMs = performance.now() + deadlineMs;
  return { valueOf: () => untilMs - performance.now() } as unknown as number;
};
