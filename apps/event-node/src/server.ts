import { setMaxListeners } from 'node:events';
import { readFile } from 'node:fs/promises';
import grpc from '@grpc/grpc-js';
import gossip from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import persistent from '@eventstore/db-client/generated/persistent_grpc_pb.js';
import projections from '@eventstore/db-client/generated/projections_grpc_pb.js';
import serverFeatures from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_grpc_pb.js';
import { authenticating } from './access.js';
import { append } from './append.js';
import { batchAppend } from './batch-append.js';
import { notBuilt } from './not-built.js';
import { decodeAppendPart, decodeBatchAppendPart } from './protocol/append-messages.js';
import { WRITE_TIMEOUT_MS } from './protocol/incoming-append.js';
import { read } from './read.js';
import { getSupportedMethods } from './server-features.js';
import { EventLog } from './store/event-log.js';
import type { WriterEvent } from './store/writer.js';

/** The vendor's default from 21.10 up to 25.0. */
export const DEFAULT_MAX_APPEND_BYTES = 1_048_576;
/** A larger message fails with RESOURCE_EXHAUSTED; up to here an append that is too big is told so. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024 + 64 * 1024;
/** How long calls may take to end after the last answer was sent, before their connections are cut. */
const GOODBYE_MS = 2_000;

export interface EventNodeOptions {
  readonly databaseUrl: string;
  /** Address to listen on (default 127.0.0.1). */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** PEM files of the server's certificate and key. */
  readonly certFile: string;
  readonly keyFile: string;
  /** Password of the user `makuler`. */
  readonly password: string;
  /** Data, metadata and types of one append, in bytes (default 1 MiB). */
  readonly maxAppendBytes?: number;
  /** Told when the database goes away and comes back. */
  readonly report?: (event: WriterEvent) => void;
}

export interface EventNode {
  /** `host:port`, to be reached by TLS. */
  readonly address: string;
  readonly port: number;
  /** Random id of the log; also in the first event of the log. */
  readonly incarnation: string;
  /** Answers what is under way, ends subscriptions with UNAVAILABLE, closes the log. Once. */
  close(): Promise<void>;
}

const GONE = 'This event node keeps every event for ever:';

/**
 * Starts an event node and resolves when it listens, which is after the log was opened: a client that meets a node that is not ready
 * remembers the error. Rejects with AnotherWriterError, `database-unavailable`, `database-not-durable`, or the address' error.
 */
export const startEventNode = async (options: EventNodeOptions): Promise<EventNode> => {
  const [cert_chain, private_key] = await Promise.all([readFile(options.certFile), readFile(options.keyFile)]);
  const log = await EventLog.open({
    databaseUrl: options.databaseUrl,
    writeTimeoutMs: WRITE_TIMEOUT_MS,
    report: options.report ?? (() => {}),
  });
  const closing = new AbortController();
  setMaxListeners(0, closing.signal); // one for each stream of each client: many is no leak
  const server = new grpc.Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    interceptors: [authenticating(options.password)],
  });
  addServices(server, log, options.maxAppendBytes ?? DEFAULT_MAX_APPEND_BYTES, closing.signal);
  const host = options.host ?? '127.0.0.1';
  const credentials = grpc.ServerCredentials.createSsl(null, [{ cert_chain, private_key }]);
  try {
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync(`${host.includes(':') ? `[${host}]` : host}:${options.port}`, credentials, (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    return {
      address: `${host}:${port}`,
      port,
      incarnation: log.incarnation,
      async close() {
        closing.abort();
        await goodbye(server);
        await log.close();
      },
    };
  } catch (error) {
    await log.close();
    throw error;
  }
};

const addServices = (server: grpc.Server, log: EventLog, maxBytes: number, closing: AbortSignal): void => {
  const bytes = (message: Buffer): Buffer => message;
  const { StreamsService } = streams;
  // Our own reading and writing of the messages that come by the ten thousand; see protocol/wire.ts.
  const definition = {
    ...StreamsService,
    read: { ...StreamsService.read, responseSerialize: bytes },
    append: { ...StreamsService.append, requestDeserialize: decodeAppendPart },
    batchAppend: { ...StreamsService.batchAppend, requestDeserialize: decodeBatchAppendPart, responseSerialize: bytes },
  };
  server.addService(definition as unknown as grpc.ServiceDefinition, {
    ...notBuilt(StreamsService, `${GONE} streams are not deleted, forgetting is done by destroying keys.`),
    read: read(log, closing),
    append: append(log, maxBytes),
    batchAppend: batchAppend(log, maxBytes, closing),
  });
  server.addService(serverFeatures.ServerFeaturesService, { getSupportedMethods });
  for (const [service, sentence] of [
    [gossip.GossipService, 'This event node is the only one: connect with esdb://, not esdb+discover://.'],
    [
      persistent.PersistentSubscriptionsService,
      'This event node has no persistent subscriptions: use a catch-up subscription.',
    ],
    [projections.ProjectionsService, 'This event node runs no projections.'],
  ] as [grpc.ServiceDefinition, string][])
    server.addService(service, notBuilt(service, sentence));
};

/** No new calls; those under way may end; then the connections are cut. */
const goodbye = (server: grpc.Server): Promise<void> =>
  new Promise((resolve) => {
    const cut = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, GOODBYE_MS);
    server.tryShutdown(() => {
      clearTimeout(cut);
      resolve();
    });
  });
