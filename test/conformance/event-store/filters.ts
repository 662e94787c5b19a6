import {
  eventTypeFilter,
  excludeSystemEvents,
  streamNameFilter,
  type EventStoreDBClient,
  type Filter,
  type Position,
} from '@eventstore/db-client';
import { randomUUID } from 'node:crypto';
import { anEvent, events, newStream, type Expectations, type Server } from './connection.js';

/** Filtered subscriptions to `$all`, and the checkpoints that tell how far it was looked through. */
export const describeFilters = (_: () => Server, client: () => EventStoreDBClient, { fresh }: Expectations): void =>
  describe('filtering the whole log', () => {
    /** What a filter lets through of the events that `write` appends, history and live. */
    const matching = async (filter: Filter, write: () => Promise<unknown>): Promise<string[]> => {
      const { position } = await client().appendToStream(newStream(), anEvent('before'));
      await write();
      const last = `last-${randomUUID()}`;
      // Everything up to an event that no filter under test lets through by itself.
      const subscription = client().subscribeToAll({ fromPosition: position!, filter: widened(filter, last) });
      await client().appendToStream(last, anEvent(last));
      const seen: string[] = [];
      for await (const { event } of subscription) {
        if (event!.type === last) break;
        seen.push(`${event!.streamId} ${event!.type}`);
      }
      return seen;
    };
    const widened = (filter: Filter, mark: string): Filter => {
      if ('prefixes' in filter && filter.prefixes) return { ...filter, prefixes: [...filter.prefixes, mark] } as Filter;
      return { ...filter, regex: `(${String((filter as { regex: string }).regex)})|${mark}` } as Filter;
    };

    let stream: string;
    let typed: string;
    const write = async () => {
      stream = newStream();
      typed = `type-${randomUUID()}`;
      await client().appendToStream(stream, [anEvent(typed), anEvent(`${typed}-b`), anEvent('other')]);
      await client().appendToStream(`${stream}-b`, anEvent('other'));
      await client().setStreamMetadata(stream, { colour: 'blue' });
    };
    beforeAll(write);

    // The log holds what was written before too, so the mark is looked for in what is new: each case writes again.
    it('by a prefix of the type', async () => {
      const prefix = `p-${randomUUID()}`;
      const seen = await matching(eventTypeFilter({ prefixes: [prefix] }), () =>
        client().appendToStream(stream, [
          anEvent(`${prefix}-a`),
          anEvent('other'),
          anEvent(`x${prefix}`),
          anEvent(prefix),
        ]),
      );
      expect(seen).toEqual([`${stream} ${prefix}-a`, `${stream} ${prefix}`]);
    });
    it('by several prefixes of the type, one is enough', async () => {
      const [one, two] = [`p-${randomUUID()}`, `q-${randomUUID()}`];
      const seen = await matching(eventTypeFilter({ prefixes: [one, two] }), () =>
        client().appendToStream(stream, [anEvent(two), anEvent('other'), anEvent(one)]),
      );
      expect(seen).toEqual([`${stream} ${two}`, `${stream} ${one}`]);
    });
    it('by prefixes as they are written, case included', async () => {
      const prefix = `P-${randomUUID()}`;
      const seen = await matching(eventTypeFilter({ prefixes: [prefix] }), () =>
        client().appendToStream(stream, [anEvent(prefix.toLowerCase()), anEvent(prefix)]),
      );
      expect(seen).toEqual([`${stream} ${prefix}`]);
    });
    it('by a regular expression on the type, anywhere in it', async () => {
      const mark = randomUUID();
      const seen = await matching(eventTypeFilter({ regex: `${mark}-[ab]` }), () =>
        client().appendToStream(stream, [anEvent(`x-${mark}-a-y`), anEvent(`${mark}-c`), anEvent(`${mark}-b`)]),
      );
      expect(seen).toEqual([`${stream} x-${mark}-a-y`, `${stream} ${mark}-b`]);
    });
    it('by a prefix of the stream name', async () => {
      const prefix = newStream();
      const seen = await matching(streamNameFilter({ prefixes: [prefix, 'last-'] }), async () => {
        await client().appendToStream(`${prefix}-1`, anEvent('a'));
        await client().appendToStream(`x-${prefix}`, anEvent('b'));
        await client().appendToStream(`${prefix}-2`, anEvent('c'));
      });
      expect(seen).toEqual([`${prefix}-1 a`, `${prefix}-2 c`]);
    });
    it('by a regular expression on the stream name', async () => {
      const mark = randomUUID();
      const seen = await matching(streamNameFilter({ regex: `^conformance-.*${mark}$|^last-` }), async () => {
        await client().appendToStream(`conformance-x-${mark}`, anEvent('a'));
        await client().appendToStream(`conformance-${mark}-x`, anEvent('b'));
      });
      expect(seen).toEqual([`conformance-x-${mark} a`]);
    });
    it('without system events, as the ledger follows it', async () => {
      const { position } = await client().appendToStream(newStream(), anEvent());
      await write();
      const subscription = client().subscribeToAll({ fromPosition: position!, filter: excludeSystemEvents() });
      const seen: string[] = [];
      for await (const { event } of subscription) {
        seen.push(event!.streamId);
        if (event!.streamId === `${stream}-b`) break;
      }
      expect(seen.filter((name) => name.includes(stream))).toEqual([stream, stream, stream, `${stream}-b`]);
    });

    describe('checkpoints', () => {
      /** The checkpoints until the subscription has caught up with `count` events written after `position`. */
      const checkpointsAfter = async (count: number, checkpointInterval: number, maxSearchWindow?: number) => {
        const { position } = await client().appendToStream(newStream(), anEvent());
        for (let n = 0; n < count; n += 64) await client().appendToStream(newStream(), events(Math.min(64, count - n)));
        const reached: Position[] = [];
        const subscription = client().subscribeToAll({
          fromPosition: position!,
          filter: eventTypeFilter({
            prefixes: ['nobody-writes-this'],
            checkpointInterval,
            ...(maxSearchWindow ? { maxSearchWindow } : {}),
            checkpointReached: async (_subscription, at) => void reached.push(at),
          }),
        });
        subscription.resume();
        await new Promise((resolve) => subscription.once('caughtUp', resolve));
        await subscription.unsubscribe();
        return { reached: reached.map(({ commit }) => commit), from: position!.commit };
      };

      it('come after every interval of considered events: 384 of them, 64 apart, give 6 or 7', async () => {
        const { reached } = await checkpointsAfter(384, 2);
        expect([6, 7]).toContain(reached.length);
      });
      it('come more often with a smaller window', async () => {
        const { reached } = await checkpointsAfter(384, 1, 8);
        expect([48, 49]).toContain(reached.length);
      });
      it('go forwards, never twice the same', async () => {
        const { reached, from } = await checkpointsAfter(200, 1);
        expect(reached.every((position, n) => position >= from && (n === 0 || position > reached[n - 1]!))).toBe(true);
      });
      (fresh ? it : it.skip)('end at the last event when the history is through (needs a fresh store)', async () => {
        const { reached, from } = await checkpointsAfter(70, 1);
        expect(reached.at(-1)).toBe(from + 70n);
      });
      it('come for live events too, and none leaves out a match', async () => {
        const [mark, stream] = [randomUUID(), newStream()];
        const places: (bigint | string)[] = [];
        const subscription = client().subscribeToAll({
          fromPosition: 'end',
          filter: eventTypeFilter({
            prefixes: [mark],
            checkpointReached: async (_subscription, at) => void places.push(at.commit),
          }),
        });
        await new Promise<void>((resolve) => {
          subscription.once('caughtUp', () => resolve());
          subscription.on('data', ({ event }) => void places.push(String(event!.position!.commit)));
        });
        const matched = new Promise<void>((resolve) => subscription.on('data', () => resolve()));
        await client().appendToStream(stream, events(100));
        await client().appendToStream(stream, anEvent(mark));
        await matched;
        await subscription.unsubscribe();
        const match = places.findIndex((place) => typeof place === 'string');
        expect(match).toBeGreaterThanOrEqual(3);
        expect(places.slice(0, match).every((place) => BigInt(place) < BigInt(places[match]!))).toBe(true);
      });
    });
  });
