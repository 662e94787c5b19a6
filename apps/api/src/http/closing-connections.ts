import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * Lets a server that closes wait for requests under way and for nothing else. Node (24.21) takes a connection on which nothing
 * has come in yet for a request under way, and browsers and balancers keep such ones; and whoever was answered meanwhile may
 * keep its connection for as long as it likes.
 */
export const endConnectionsOnClose = (fastify: FastifyInstance): void => {
  const open = new Set<Socket>();
  let closing = false;
  fastify.server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  fastify.addHook('preClose', (done) => {
    closing = true;
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
    done();
  });
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    if (closing) void reply.header('connection', 'close');
    done();
  });
  // An answer in pieces had its headers sent before.
  fastify.addHook('onResponse', (_request, _reply, done) => {
    if (closing) setImmediate(() => fastify.server.closeIdleConnections());
    done();
  });
};
