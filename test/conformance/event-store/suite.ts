import type { EventStoreDBClient } from '@eventstore/db-client';
import { describeAccess } from './access.js';
import { describeAppending } from './appending.js';
import { describeConcurrency } from './concurrency.js';
import { clientOf, type Expectations, type Server } from './connection.js';
import { describeFilters } from './filters.js';
import { describeIdempotency } from './idempotency.js';
import { describeLimits } from './limits.js';
import { describeLog } from './log.js';
import { describeReading } from './reading.js';
import { describeSubscriptions } from './subscriptions.js';
import { describeWire } from './wire.js';

/**
 * The event store that Makuler is written against, as the vendor's client meets it. Anything that passes can stand behind
 * `libs/ledger`. Cases that a server in use can't be held to are skipped for it: those that need a fresh store, and those about our own node.
 */
export const describeEventStore = (name: string, connect: () => Promise<Server>, expectations: Expectations): void =>
  describe(name, () => {
    let server: Server;
    let client: EventStoreDBClient;
    beforeAll(async () => {
      server = await connect();
      client = clientOf(server);
    });
    afterAll(async () => {
      await client.dispose();
      await server.close();
    });
    const parts = [
      describeLog,
      describeAppending,
      describeIdempotency,
      describeLimits,
      describeReading,
      describeSubscriptions,
      describeFilters,
      describeConcurrency,
      describeWire,
      describeAccess,
    ];
    for (const part of parts)
      part(
        () => server,
        () => client,
        expectations,
      );
  });
