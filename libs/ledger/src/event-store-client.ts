import { EventStoreDBClient } from '@eventstore/db-client';
import { parseEventStoreUrl } from './event-store-url.js';
import { foundNoNode, translateStoreError } from './store-errors.js';

/**
 * The vendor's client, and another in its place when it has become useless: one that has asked in vain which node of a
 * cluster to talk to (during an election, or while all are away) keeps that failure for good and gives it to every later
 * call (6.2.1, Client/index.js: the rejected promises of channel and stubs stay where they were cached).
 */
export class EventStoreClient {
  readonly #url: string;
  #client: EventStoreDBClient;

  /** Throws InvalidSetting. Connects at the first call. */
  constructor(url: string) {
    this.#url = parseEventStoreUrl(url);
    this.#client = EventStoreDBClient.connectionString(this.#url);
  }

  /** What the call comes to. Rejects with our errors. */
  async call<T>(work: (client: EventStoreDBClient) => Promise<T>): Promise<T> {
    const used = this.#client;
    try {
      return await work(used);
    } catch (error) {
      throw this.#after(used, error);
    }
  }

  /** The same for what comes bit by bit. */
  async *iterate<T>(work: (client: EventStoreDBClient) => AsyncIterable<T>): AsyncGenerator<T> {
    const used = this.#client;
    try {
      yield* work(used);
    } catch (error) {
      throw this.#after(used, error);
    }
  }

  #after(used: EventStoreDBClient, error: unknown): Error {
    // Another call may have seen to it already. The useless one has no stream left: it never had a connection, or lost it.
    if (foundNoNode(error) && used === this.#client) this.#client = EventStoreDBClient.connectionString(this.#url);
    return translateStoreError(error);
  }

  async close(): Promise<void> {
    // Waits for every stream of the client to have ended. One that the server has ended and that was not read to its end never
    // does: whoever reads here reads the whole answer, with a count that keeps it small.
    await this.#client.dispose();
  }
}
