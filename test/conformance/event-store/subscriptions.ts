import type { AllStreamSubscription, EventStoreDBClient, StreamSubscription } from '@eventstore/db-client';
import { anEvent, events, newStream, take, type Expectations, type Server } from './connection.js';

/** Resolves with the subscription's next signal of that name. */
export const signalOf = (subscription: StreamSubscription | AllStreamSubscription, name: 'confirmation' | 'caughtUp') =>
  new Promise<void>((resolve) => (subscription as StreamSubscription).once(name as 'confirmation', () => resolve()));

/** Catch-up subscriptions: history, then what comes, nothing twice and nothing left out. */
export const describeSubscriptions = (
  _: () => Server,
  client: () => EventStoreDBClient,
  { fresh }: Expectations,
): void =>
  describe('subscribing', () => {
    const write = (stream: string, count = 1) => client().appendToStream(stream, events(count));
    const revisions = async (subscription: StreamSubscription, count: number) =>
      (await take(subscription, count)).map(({ event }) => Number(event!.revision));

    describe('to a stream', () => {
      it('gives history, says that it has caught up, then gives what comes', async () => {
        const stream = newStream();
        await write(stream, 3);
        const subscription = client().subscribeToStream(stream);
        const seen: string[] = [];
        subscription.on('confirmation', () => seen.push('confirmed'));
        subscription.on('caughtUp', () => {
          seen.push('caught up');
          void write(stream, 2);
        });
        for await (const { event } of subscription) {
          seen.push(String(event!.revision));
          if (event!.revision === 4n) break;
        }
        // The client reports signals when they arrive and events when they are read: only what is certain is compared.
        expect(seen.filter((entry) => /^\d/.test(entry))).toEqual(['0', '1', '2', '3', '4']);
        expect(seen).toEqual(expect.arrayContaining(['confirmed', 'caught up']));
        expect(seen.indexOf('confirmed')).toBe(0);
      });

      it('starts after the revision it is given', async () => {
        const stream = newStream();
        await write(stream, 5);
        expect(await revisions(client().subscribeToStream(stream, { fromRevision: 2n }), 2)).toEqual([3, 4]);
      });

      it('starts with what comes when it is told so', async () => {
        const stream = newStream();
        await write(stream, 3);
        const subscription = client().subscribeToStream(stream, { fromRevision: 'end' });
        const next = revisions(subscription, 2);
        await signalOf(subscription, 'caughtUp');
        await write(stream, 2);
        expect(await next).toEqual([3, 4]);
      });

      it('waits for a stream that does not exist yet', async () => {
        const stream = newStream();
        const subscription = client().subscribeToStream(stream);
        const next = revisions(subscription, 1);
        await signalOf(subscription, 'caughtUp');
        await write(newStream(), 3);
        await write(stream);
        expect(await next).toEqual([0]);
      });

      it('waits for a revision that does not exist yet', async () => {
        const stream = newStream();
        const subscription = client().subscribeToStream(stream, { fromRevision: 1n });
        const next = revisions(subscription, 1);
        await signalOf(subscription, 'caughtUp');
        await write(stream, 4);
        expect(await next).toEqual([2]);
      });

      it('gives nothing of other streams', async () => {
        const [stream, other] = [newStream(), newStream()];
        const subscription = client().subscribeToStream(stream);
        const next = take(subscription, 3);
        await signalOf(subscription, 'caughtUp');
        for (let n = 0; n < 3; n++) await Promise.all([write(stream), write(other)]);
        expect((await next).map(({ event }) => event!.streamId)).toEqual([stream, stream, stream]);
      });
    });

    describe('to the whole log', () => {
      (fresh ? it : it.skip)('gives it from the first event on, as reading does (needs a fresh store)', async () => {
        const all = (await take(client().readAll())).map(({ event }) => event!.id);
        const followed = await take(client().subscribeToAll(), all.length);
        expect(followed.map(({ event }) => event!.id)).toEqual(all);
      });

      it('starts after the position it is given', async () => {
        const stream = newStream();
        const { position } = await write(stream);
        await write(stream, 2);
        const subscription = client().subscribeToAll({ fromPosition: position! });
        const mine: bigint[] = [];
        for await (const { event } of subscription) {
          if (event!.streamId === stream) mine.push(event!.revision);
          if (mine.length === 2) break;
        }
        expect(mine).toEqual([1n, 2n]);
      });

      it('starts with what comes when it is told so, metadata and system streams too', async () => {
        const stream = newStream();
        await write(stream);
        const subscription = client().subscribeToAll({ fromPosition: 'end' });
        const next = (async () => {
          const mine: string[] = [];
          for await (const { event } of subscription) {
            if (event!.streamId.includes(stream)) mine.push(event!.streamId);
            if (mine.length === 2) break;
          }
          return mine;
        })();
        await signalOf(subscription, 'caughtUp');
        await client().setStreamMetadata(stream, { colour: 'blue' });
        await write(stream);
        expect(await next).toEqual([`$$${stream}`, stream]);
      });

      it('serves many at once, each at its own place', async () => {
        const stream = newStream();
        const { position } = await write(stream);
        const followers = Array.from({ length: 10 }, () => client().subscribeToAll({ fromPosition: position! }));
        const mine = Promise.all(
          followers.map(async (subscription) => {
            const seen: bigint[] = [];
            for await (const { event } of subscription) {
              if (event!.streamId === stream) seen.push(event!.revision);
              if (seen.length === 50) break;
            }
            return seen;
          }),
        );
        for (let n = 0; n < 50; n++) await write(stream);
        const expected = Array.from({ length: 50 }, (__, n) => BigInt(n + 1));
        for (const seen of await mine) expect(seen).toEqual(expected);
      });
    });

    it('loses nothing for a reader that stops reading while much more is written than is kept for it', async () => {
      const stream = newStream();
      await write(stream);
      const subscription = client().subscribeToStream(stream);
      const iterator = subscription[Symbol.asyncIterator]();
      expect((await iterator.next()).value.event.revision).toBe(0n);
      const blob = 'x'.repeat(2_000);
      for (let n = 0; n < 60; n++)
        await client().appendToStream(
          stream,
          Array.from({ length: 250 }, () => anEvent('happened', { blob })),
        );
      for (let revision = 1n; revision <= 15_000n; revision++) {
        const { value } = await iterator.next();
        if (value.event.revision !== revision) expect(value.event.revision).toBe(revision);
      }
      await subscription.unsubscribe();
    }, 180_000);

    it('is left by unsubscribing, and the client goes on', async () => {
      const stream = newStream();
      const subscription = client().subscribeToStream(stream);
      await signalOf(subscription, 'confirmation');
      await subscription.unsubscribe();
      expect(await write(stream)).toMatchObject({ success: true });
    });
  });
