import type { FastifyHttpOptions } from 'fastify';
import type { Server } from 'node:http';

/** How long a client may take, in milliseconds. */
export interface EdgeTimeouts {
  /** From the connection, or the answer before, to the end of the headers. */
  readonly headersMs: number;
  /** To the end of the body. */
  readonly requestMs: number;
  /** Without a byte either way; longer than any command takes, because a seal or a loss is answered when it is done. */
  readonly silenceMs: number;
  /** Between two requests of one connection; longer than what proxies wait (60 s), so that none is closed under them. */
  readonly keepAliveMs: number;
}

/** A 4 MB batch passes on a line of 1 Mbit/s; a client that sends a byte now and then doesn't keep its connection. */
export const DEFAULT_TIMEOUTS: EdgeTimeouts = {
  headersMs: 15_000,
  requestMs: 60_000,
  silenceMs: 900_000,
  keepAliveMs: 72_000,
};

/** Requests on one connection at most: balancers in front get to spread long-lived clients anew. */
const REQUESTS_OF_A_CONNECTION = 10_000;

/** The timeouts as Fastify and Node take them. */
export const timeoutsOf = ({
  headersMs,
  requestMs,
  silenceMs,
  keepAliveMs,
}: EdgeTimeouts): FastifyHttpOptions<Server> => ({
  requestTimeout: requestMs,
  connectionTimeout: silenceMs,
  keepAliveTimeout: keepAliveMs,
  maxRequestsPerSocket: REQUESTS_OF_A_CONNECTION,
  // How often Node looks at all connections decides how late a slow one is found.
  http: { headersTimeout: headersMs, connectionsCheckingInterval: Math.ceil(headersMs / 5) },
});
