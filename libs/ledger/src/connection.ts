import { EventStoreDBClient } from '@eventstore/db-client';

/**
 * Connects to an EventStoreDB-protocol server. `url` is what the vendor's client takes: `esdb://user:password@host:port?…`.
 * Connecting is lazy: a server that is away shows at the first call, as `store-unavailable`.
 */
export const connectEventStore = (url: string): EventStoreDBClient => EventStoreDBClient.connectionString(url);
