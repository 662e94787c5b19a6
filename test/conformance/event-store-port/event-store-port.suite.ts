import type { EventId } from '#kernel';
import { newId } from '#kernel';
import type { EventStore, EventToStore, StoredEvent } from '#ledger';

/** An event store with nothing of ours in it, and a way to put system events between ours where the server has some. */
export interface StoreUnderTest {
  readonly store: EventStore;
  /** Appends something whose type begins with `$`; absent where there is nothing like it. */
  readonly systemEvent?: () => Promise<void>;
  close(): Promise<void>;
}

const happened = (n: number): EventToStore => ({
  id: newId<EventId>(),
  type: 'thing.happened',
  data: { n },
  metadata: { recordedAt: '2026-06-01T12:00:00.000Z' },
});
const numbers = (events: readonly StoredEvent[]) => events.map(({ data }) => data['n']);

/** What `EventStore` promises about reading the whole log, held against any implementation of it. */
export const describeEventStorePort = (name: string, start: () => Promise<StoreUnderTest>): void => {
  describe(`${name} reads the whole log`, () => {
    let under: StoreUnderTest;
    let store: EventStore;
    beforeAll(async () => {
      under = await start();
      store = under.store;
    });
    afterAll(() => under.close());

    it('finds nothing in an empty one, in either direction', async () => {
      expect(await store.forwards({ maxCount: 10 })).toEqual([]);
      expect(await store.backwards({ maxCount: 10 })).toEqual([]);
      expect(await store.head()).toBe(0n);
    });

    it('forwards and backwards in parts that join without a gap, and never gives a system event', async () => {
      const things = Array.from({ length: 7 }, (_, n) => happened(n));
      for (const [n, thing] of things.entries()) {
        if (n % 2 === 1) await under.systemEvent?.();
        await store.append(`thing-${n % 3}`, 'any', [thing], 5_000);
      }
      await under.systemEvent?.();

      const all = await store.forwards({ maxCount: 100 });
      expect(all.map(({ id }) => id)).toEqual(things.map(({ id }) => id));
      expect(all[4]).toMatchObject({ ...things[4], stream: 'thing-1', revision: 1n });
      expect(await store.backwards({ maxCount: 100 })).toEqual(all.toReversed());
      expect(await store.head()).toBe(all[6]!.position);

      const first = await store.forwards({ maxCount: 3 });
      expect(numbers(first)).toEqual([0, 1, 2]);
      expect(numbers(await store.forwards({ after: first[2]!.position, maxCount: 3 }))).toEqual([3, 4, 5]);
      expect(numbers(await store.forwards({ after: all[5]!.position, maxCount: 3 }))).toEqual([6]);
      expect(await store.forwards({ after: all[6]!.position, maxCount: 3 })).toEqual([]);

      const last = await store.backwards({ maxCount: 3 });
      expect(numbers(last)).toEqual([6, 5, 4]);
      expect(numbers(await store.backwards({ from: last[2]!.position, maxCount: 3 }))).toEqual([3, 2, 1]);
      expect(numbers(await store.backwards({ from: all[1]!.position, maxCount: 3 }))).toEqual([0]);
      expect(await store.backwards({ from: all[0]!.position, maxCount: 3 })).toEqual([]);
    });

    it('gives the end of a stream, the newest first, and nothing of a stream that is not there', async () => {
      const name = 'thing-ended';
      await store.append(name, 'no-stream', [1, 2, 3].map(happened), 5_000);
      await store.append(`${name}-other`, 'no-stream', [happened(4)], 5_000);
      expect(numbers(await store.tail(name, { maxCount: 2 }))).toEqual([3, 2]);
      expect(numbers(await store.tail(name, { maxCount: 9 }))).toEqual([3, 2, 1]);
      expect(numbers(await store.tail(name, { before: 1n, maxCount: 2 }))).toEqual([1]);
      expect(await store.tail(name, { before: 0n, maxCount: 2 })).toEqual([]);
      expect(await store.tail('thing-never', { maxCount: 2 })).toEqual([]);
    });

    it('gives the event at a position, and at no other', async () => {
      const [event] = await store.backwards({ maxCount: 1 });
      expect(await store.eventAt(event!.position)).toEqual(event);
      expect(await store.eventAt(event!.position + 1_000n)).toBeUndefined();
    });

    it('gives as many as were asked for across the pages of the server', async () => {
      const many = Array.from({ length: 1_200 }, (_, n) => happened(100 + n));
      const after = await store.head();
      await store.append(`thing-many`, 'no-stream', many, 10_000);
      expect(numbers(await store.forwards({ after, maxCount: 1_150 }))).toEqual(
        Array.from({ length: 1_150 }, (_, n) => 100 + n),
      );
      expect(numbers(await store.backwards({ maxCount: 1_150 }))).toEqual(
        Array.from({ length: 1_150 }, (_, n) => 1_299 - n),
      );
    });
  });
};
