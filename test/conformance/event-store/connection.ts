import { readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import grpc from '@grpc/grpc-js';
import { EventStoreDBClient, jsonEvent, type AppendToStreamOptions, type Credentials } from '@eventstore/db-client';
import streamsGrpc, { type StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js';

/** A server under test. */
export interface Server {
  /** `esdb://host:port?…`, without a user. */
  readonly connectionString: string;
  /** Sent with every call where they are given. Without TLS the client drops them. */
  readonly credentials: Credentials;
  close(): Promise<void>;
}

/** Which cases a server can be held to. */
export interface Expectations {
  /** Empty at the start, and nobody else writes to it: cases about the whole log run. */
  readonly fresh: boolean;
  /** Our node: cases about what it refuses, and where it is stricter or kinder than the vendor's. */
  readonly own: boolean;
}

/** The vendor's client, unmodified. `options` are further keys of the connection string. */
export const clientOf = (server: Server, options = '', credentials: Credentials | null = server.credentials) => {
  const separator = server.connectionString.includes('?') ? '&' : '?';
  const address = server.connectionString + (options ? separator + options : '');
  if (!credentials) return EventStoreDBClient.connectionString(address);
  const user = `${encodeURIComponent(credentials.username)}:${encodeURIComponent(credentials.password)}@`;
  return EventStoreDBClient.connectionString(address.replace('esdb://', `esdb://${user}`));
};

/** The bare service, for what the client does not do: odd deadlines, parts in turn, parts that never come. */
export const rawClientOf = (server: Server): { client: StreamsClient; metadata: grpc.Metadata } => {
  const url = new URL(server.connectionString.replace('esdb://', 'http://'));
  const metadata = new grpc.Metadata();
  const { username, password } = server.credentials;
  metadata.set('authorization', `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`);
  const caFile = url.searchParams.get('tlsCAFile');
  const credentials =
    url.searchParams.get('tls') === 'false'
      ? grpc.credentials.createInsecure()
      : grpc.credentials.createSsl(caFile ? readFileSync(caFile) : null);
  return { client: new streamsGrpc.StreamsClient(url.host, credentials), metadata };
};

/** The two ways in which the client appends: a call with credentials of its own goes by `Append`, all others by `BatchAppend`. */
export const PATHS = ['BatchAppend', 'Append'] as const;
export type Path = (typeof PATHS)[number];
export const via = (path: Path, server: Server): AppendToStreamOptions =>
  path === 'Append' ? { credentials: server.credentials } : {};

/** A stream that nobody has used. */
export const newStream = (): string => `conformance-${randomUUID()}`;

export const anEvent = (type = 'happened', data: Record<string, unknown> = { n: 1 }) => jsonEvent({ type, data });
export const events = (count: number, type = 'happened') =>
  Array.from({ length: count }, (_, n) => anEvent(type, { n }));

/** Everything that an iterable gives, at most `limit` of it. */
export const take = async <T>(source: AsyncIterable<T>, limit = Number.POSITIVE_INFINITY): Promise<T[]> => {
  const taken: T[] = [];
  if (limit > 0)
    for await (const item of source) {
      taken.push(item);
      if (taken.length >= limit) break;
    }
  return taken;
};

/** What a promise was rejected with. */
export const refusalOf = async (promise: Promise<unknown>): Promise<Error & Record<string, unknown>> => {
  try {
    await promise;
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error('this was to be refused');
};
