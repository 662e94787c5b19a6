import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { endConnectionsOnClose } from './closing-connections.js';

const serverWith = (options?: { drainMs: number }): FastifyInstance => {
  const fastify = new FastifyAdapter({ return503OnClosing: false }).getInstance() as unknown as FastifyInstance;
  endConnectionsOnClose(fastify, options);
  return fastify;
};
const listening = async (fastify: FastifyInstance) => {
  const address = await fastify.listen({ host: '127.0.0.1', port: 0 });
  /** A connection that says so much, and that the server has. */
  const connected = async (text: string): Promise<Socket> => {
    const accepted = once(fastify.server, 'connection');
    const socket = connect((fastify.server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined);
    await accepted;
    socket.write(text);
    return socket;
  };
  return { address, connected };
};
const GET = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

describe('a server that closes', () => {
  it.each([
    ['whole', async (goOn: Promise<void>) => goOn.then(() => 'an answer')],
    [
      'in pieces',
      async (goOn: Promise<void>) =>
        Readable.from(
          (async function* () {
            yield 'an ';
            await goOn;
            yield 'answer';
          })(),
        ),
    ],
  ])(
    'waits for the answer under way (%s), and for no connection without one',
    async (_, answerOf) => {
      const fastify = serverWith();
      const [begun, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      fastify.get('/', () => {
        begun.resolve();
        return answerOf(goOn.promise);
      });
      fastify.get('/at-once', async () => 'at once');
      const { address, connected } = await listening(fastify);
      const others = await Promise.all(['', 'GET / HT', GET('/at-once')].map(connected));
      await once(others[2]!, 'data');
      const answer = fetch(address).then((response) => response.text());
      await begun.promise;
      const ended = others.map((socket) => once(socket.resume(), 'close'));
      const closed = fastify.close();
      await Promise.all(ended);
      goOn.resolve();
      expect(await answer).toBe('an answer');
      await closed;
    },
    10_000,
  );

  it('cuts off no answer that is still being taken, when another one ends', async () => {
    const fastify = serverWith();
    const long = 'x'.repeat(32 * 1024 * 1024);
    const [begun, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    fastify.get('/long', async () => long);
    fastify.get('/later', async () => {
      begun.resolve();
      await goOn.promise;
      return 'later';
    });
    const { address, connected } = await listening(fastify);
    const slow = await connected(GET('/long'));
    await once(slow, 'readable');
    const later = fetch(`${address}/later`).then((response) => response.text());
    await begun.promise;
    const closed = fastify.close();
    goOn.resolve();
    expect(await later).toBe('later');
    let taken = 0;
    for await (const chunk of slow) taken += (chunk as Buffer).length;
    expect(taken).toBeGreaterThan(long.length);
    await closed;
  }, 20_000);

  it('answers a request that comes in on a connection that was there', async () => {
    const fastify = serverWith();
    fastify.get('/', async () => 'an answer');
    const { connected } = await listening(fastify);
    const socket = await connected('GET / HT');
    const closed = fastify.close();
    await new Promise(setImmediate);
    socket.write('TP/1.1\r\nHost: x\r\n\r\n');
    let said = '';
    for await (const chunk of socket) said += (chunk as Buffer).toString();
    expect(said).toMatch(/^HTTP\/1\.1 200 [^]*connection: close[^]*an answer$/i);
    await closed;
  }, 10_000);

  it('waits for no answer longer than it may', async () => {
    const fastify = serverWith({ drainMs: 50 });
    const begun = Promise.withResolvers<void>();
    fastify.get('/', () => {
      begun.resolve();
      return new Promise(() => undefined);
    });
    const { address } = await listening(fastify);
    const answer = fetch(address).catch(() => 'cut off');
    await begun.promise;
    await fastify.close();
    expect(await answer).toBe('cut off');
  }, 10_000);
});
