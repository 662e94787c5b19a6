import { EventStoreDBClient } from '@eventstore/db-client';
import type { BatchStreams } from './batch-streams.js';
import { batchStreamsOf } from './batch-streams.js';
import { parseEventStoreUrl } from './event-store-url.js';
import { widenWindowOf } from './flow-window.js';
import { foundNoNode, noAnswer, translateStoreError } from './store-errors.js';

interface Used {
  readonly client: EventStoreDBClient;
  readonly batches: BatchStreams;
}

/** How long the appends of a client that was replaced may still be answered; by then all have reached their limits. */
const LEFT_MS = 10_000;

/**
 * The vendor's client (6.2.1), and another in its place when it has become useless:
 *
 * - One that has asked in vain which node of a cluster to talk to (during an election, or while all are away) keeps that failure
 *   for good and gives it to every later call (Client/index.js: the rejected promises of channel and stubs stay where they were
 *   cached).
 * - One that was just taking its connection down writes an append to a stream that nobody reads any more, and waits for ever.
 */
export class EventStoreClient {
  readonly #url: string;
  #used: Used;
  /** Clients by which something is coming bit by bit: replaced ones too. */
  readonly #iterated = new Set<{ readonly client: EventStoreDBClient }>();
  #closed = false;

  /** Throws InvalidSetting. Connects at the first call. */
  constructor(url: string) {
    this.#url = parseEventStoreUrl(url);
    this.#used = this.#connect();
  }

  /** What the call comes to. Rejects with our errors. */
  async call<T>(work: (client: EventStoreDBClient) => Promise<T>): Promise<T> {
    const used = this.#used;
    try {
      const result = await work(used.client);
      // A read that `close` has cut short looks as if it had come to its end.
      if (this.#closed) throw noAnswer();
      return result;
    } catch (error) {
      throw this.#after(used, error);
    }
  }

  /** The same for what must be answered within `ms`. One that is not rejects with `store-unavailable`: what came of it is not known. */
  async callWithin<T>(ms: number, work: (client: EventStoreDBClient) => Promise<T>): Promise<T> {
    const used = this.#used;
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#replace(used);
        reject(noAnswer());
      }, ms);
    });
    try {
      return await Promise.race([work(used.client), silence]);
    } catch (error) {
      throw this.#after(used, error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The same as `call` for what comes bit by bit. */
  async *iterate<T>(work: (client: EventStoreDBClient) => AsyncIterable<T>): AsyncGenerator<T> {
    const used = this.#used;
    const iterated = { client: used.client };
    this.#iterated.add(iterated);
    try {
      yield* work(used.client);
    } catch (error) {
      throw this.#after(used, error);
    } finally {
      this.#iterated.delete(iterated);
    }
  }

  #connect(): Used {
    const client = EventStoreDBClient.connectionString(this.#url);
    widenWindowOf(client);
    return { client, batches: batchStreamsOf(client) };
  }

  #after(used: Used, error: unknown): Error {
    if (foundNoNode(error)) this.#replace(used);
    return translateStoreError(error);
  }

  /** What it is reading goes on: that is ended by nobody but its server, and `close`. Its appends may still be answered for a while. */
  #replace(used: Used): void {
    // Another call may have seen to it already.
    if (this.#closed || used !== this.#used) return;
    this.#used = this.#connect();
    used.batches.end(LEFT_MS);
  }

  async close(): Promise<void> {
    this.#closed = true;
    // Waits for every stream of the client to have ended. One that the server has ended and that was not read to its end never
    // does: whoever reads here reads the whole answer, with a count that keeps it small.
    const clients = new Set([this.#used.client, ...[...this.#iterated].map(({ client }) => client)]);
    await Promise.all([...clients].map((client) => client.dispose()));
  }
}
