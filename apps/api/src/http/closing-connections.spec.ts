import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { endConnectionsOnClose } from './closing-connections.js';

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
      const fastify = new FastifyAdapter().getInstance() as unknown as FastifyInstance;
      endConnectionsOnClose(fastify);
      const [begun, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      fastify.get('/', () => {
        begun.resolve();
        return answerOf(goOn.promise);
      });
      const address = await fastify.listen({ host: '127.0.0.1', port: 0 });
      const accepted = once(fastify.server, 'connection');
      const silent = connect((fastify.server.address() as AddressInfo).port, '127.0.0.1').resume();
      await accepted;
      const answer = fetch(address).then((response) => response.text());
      await begun.promise;
      const ended = once(silent, 'close');
      const closed = fastify.close();
      await ended;
      goOn.resolve();
      expect(await answer).toBe('an answer');
      await closed;
    },
    10_000,
  );
});
