import { setTimeout as delay } from 'node:timers/promises';
import { DeadlineExceededError, UnavailableError, type EventStoreDBClient } from '@eventstore/db-client';
import { anEvent, clientOf, events, newStream, refusalOf, take, via, type Server } from './connection.js';
import { CuttableWire } from './cuttable-wire.js';
import { startOwnNode } from './event-node.js';
import { signalOf } from './subscriptions.js';

describe('the event node without its database', () => {
  let wire: CuttableWire;
  let server: Server;
  let client: EventStoreDBClient;
  beforeEach(async () => {
    server = await startOwnNode(async (url) => (wire = await CuttableWire.to(url)).url);
    client = clientOf(server);
  });
  afterEach(async () => {
    wire.set('open');
    await client.dispose();
    await server.close();
    wire.close();
  });
  // With a new client each: the vendor's (6.2.1) may write to a stream that it is just taking down, and wait for ever.
  const succeeds = async (stream: string) => {
    for (let done = false; !done;) {
      const another = clientOf(server);
      const written = another.appendToStream(stream, anEvent()).then(
        () => true,
        () => false,
      );
      done = await Promise.race([written, delay(5_000, false)]);
      await another.dispose();
    }
  };

  it.each(['cut', 'hanging'] as const)(
    '%s, never says that an append is written, and goes on when it is back',
    async (mode) => {
      const stream = newStream();
      await client.appendToStream(stream, events(3));
      wire.set(mode);
      expect(await refusalOf(client.appendToStream(stream, anEvent()))).toBeInstanceOf(DeadlineExceededError);
      const unary = await refusalOf(client.appendToStream(stream, anEvent(), via('Append', server)));
      expect([UnavailableError, DeadlineExceededError]).toContain(unary.constructor);
      if (mode === 'cut') expect(await refusalOf(take(client.readStream(stream)))).toBeInstanceOf(UnavailableError);
      wire.set('cut');
      wire.set('open');
      await succeeds(stream);
      const revisions = (await take(client.readStream(stream))).map(({ event }) => event!.revision);
      expect(revisions).toEqual(revisions.map((_, n) => BigInt(n)));
    },
  );

  it('keeps its live subscribers, and shows them what was written afterwards', async () => {
    const stream = newStream();
    const subscription = client.subscribeToStream(stream);
    const next = take(subscription, 1);
    await signalOf(subscription, 'caughtUp');
    wire.set('cut');
    wire.set('open');
    await succeeds(stream);
    expect((await next)[0]?.event?.streamId).toBe(stream);
  });
});
