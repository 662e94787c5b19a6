import { EventStoreDBClient } from '@eventstore/db-client';

/** A server under test, and what the suite may expect of it. */
export interface Server {
  /** Where it listens, and how to reach it: everything after the user in an `esdb://` connection string. */
  readonly connectionString: string;
  readonly credentials?: { readonly username: string; readonly password: string };
  /** Nobody else writes to it, and it was empty: cases about the whole log, its limits and its refusals can run. */
  readonly fresh: boolean;
  close(): Promise<void>;
}

/** A new client of the vendor, unmodified, with credentials unless others are given (`null`: none). */
export const clientOf = (
  server: Server,
  credentials: { readonly username: string; readonly password: string } | null = server.credentials ?? null,
  options = '',
): EventStoreDBClient => {
  const separator = server.connectionString.includes('?') ? '&' : '?';
  const address = server.connectionString + (options ? separator + options : '');
  if (!credentials) return EventStoreDBClient.connectionString(address);
  const user = `${encodeURIComponent(credentials.username)}:${encodeURIComponent(credentials.password)}@`;
  return EventStoreDBClient.connectionString(address.replace('esdb://', `esdb://${user}`));
};
