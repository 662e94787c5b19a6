import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { DRAIN_MS } from '#observability';

/** So long a connection on which no request has come in whole yet may still bring one. */
const GRACE_MS = 1_000;

interface Connection {
  /** Requests of which the answer has not left yet. */
  underWay: number;
  /** How much had been read when the last answer left: more means that another request is coming in. */
  answeredAtByte?: number;
}

/**
 * Lets a server that closes wait for requests under way and for nothing else, `drainMs` at most. Node (24.21) takes a connection
 * on which nothing has come in yet for a request under way, and browsers and balancers keep such ones; it takes one whose answer
 * was handed over for idle, though the client has not taken all of it; and with the close it ends its own timeouts.
 */
export const endConnectionsOnClose = (fastify: FastifyInstance, { drainMs = DRAIN_MS } = {}): void => {
  const { server } = fastify;
  const open = new Map<Socket, Connection>();
  let closing = false;
  server.on('connection', (socket) => {
    open.set(socket, { underWay: 0 });
    socket.once('close', () => open.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    const connection = open.get(socket);
    if (!connection) return;
    connection.underWay++;
    // After the last byte was given to the operating system, or the connection is gone.
    response.once('close', () => {
      connection.underWay--;
      connection.answeredAtByte = socket.bytesRead;
      if (closing && connection.underWay === 0) socket.destroySoon();
    });
  });
  const endAll = (may: (connection: Connection, socket: Socket) => boolean) => {
    for (const [socket, connection] of open) if (connection.underWay === 0 && may(connection, socket)) socket.destroy();
  };
  // `close` calls it, Fastify's and Node's.
  server.closeIdleConnections = () => endAll(({ answeredAtByte }, { bytesRead }) => answeredAtByte === bytesRead);
  fastify.addHook('preClose', (done) => {
    closing = true;
    const timers = [
      setTimeout(() => endAll(() => true), GRACE_MS),
      setTimeout(() => server.closeAllConnections(), drainMs),
    ];
    server.once('close', () => timers.forEach((timer) => clearTimeout(timer)));
    done();
  });
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    if (closing) void reply.header('connection', 'close');
    done();
  });
};
