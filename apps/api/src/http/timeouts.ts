import type { FastifyHttpOptions, FastifyInstance } from 'fastify';
import type { Server } from 'node:http';

/** How long a client may take, in milliseconds. */
export interface EdgeTimeouts {
  /** From the connection, or the answer before, to the end of the headers. */
  readonly headersMs: number;
  /** To the end of the body. */
  readonly requestMs: number;
  /** From the whole answer to its last byte on the line: what is not taken yet lies in our memory. */
  readonly answerMs: number;
  /** Without a byte either way; longer than any command takes, because a seal or a loss is answered when it is done. */
  readonly silenceMs: number;
  /** Between two requests of one connection; longer than what proxies wait (60 s), so that none is closed under them. */
  readonly keepAliveMs: number;
}

/** 4 MB pass on a line of 1 Mbit/s, either way; a client that sends or takes a byte now and then doesn't keep its connection. */
export const DEFAULT_TIMEOUTS: EdgeTimeouts = {
  headersMs: 15_000,
  requestMs: 60_000,
  answerMs: 60_000,
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

/**
 * Hangs up on whoever doesn't take an answer in time. Node knows silence only, which a byte now and then ends; and whether
 * an answer may leave was checked when it was handed over (P1), which must not be long ago.
 */
export const endUntakenAnswers = (fastify: FastifyInstance, { answerMs }: EdgeTimeouts): void => {
  fastify.addHook('onSend', (request, reply, payload, done) => {
    const { socket } = request.raw;
    const begin = () => {
      const timer = setTimeout(() => socket.destroy(), answerMs).unref();
      reply.raw.once('close', () => clearTimeout(timer));
    };
    // An answer behind another one of its connection has the line only when that one has left.
    if (reply.raw.socket) begin();
    else if (!socket.destroyed) reply.raw.once('socket', begin);
    done(null, payload);
  });
};
