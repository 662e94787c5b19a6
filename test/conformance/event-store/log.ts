import type { EventStoreDBClient, ReadAllOptions } from '@eventstore/db-client';
import { events, newStream, take, type Expectations, type Server } from './connection.js';

/** `$all`: every event, in commit order. */
export const describeLog = (_: () => Server, client: () => EventStoreDBClient, { fresh, own }: Expectations): void =>
  describe('the whole log', () => {
    /** Positions of three events that stand apart from each other. */
    let places: { commit: bigint; prepare: bigint }[];
    let streams: string[];
    beforeAll(async () => {
      streams = [newStream(), newStream(), newStream()];
      places = [];
      for (const stream of streams) places.push((await client().appendToStream(stream, events(1))).position!);
    });
    const read = async (options: ReadAllOptions) =>
      (await take(client().readAll(options))).map(({ event }) => event!.streamId);

    (fresh ? it : it.skip)(
      'is not empty when nothing was written yet, and has no holes (needs a fresh store)',
      async () => {
        const all = await take(client().readAll());
        expect(all[0]?.event?.type).toMatch(/^\$/);
        expect(all.map(({ commitPosition }) => commitPosition)).toEqual(all.map((__, n) => BigInt(n + 1)));
      },
    );

    it('is in the order in which the appends were answered', () => {
      expect(places[0]!.commit < places[1]!.commit && places[1]!.commit < places[2]!.commit).toBe(true);
    });
    it('goes forwards from a position, inclusive', async () =>
      expect((await read({ fromPosition: places[0]! })).slice(0, 3)).toEqual(streams));
    it('goes forwards, no more than asked for', async () =>
      expect(await read({ fromPosition: places[0]!, maxCount: 2 })).toEqual(streams.slice(0, 2)));
    it('goes backwards from a position, exclusive', async () =>
      expect(await read({ direction: 'backwards', fromPosition: places[2]!, maxCount: 2 })).toEqual([
        streams[1],
        streams[0],
      ]));
    (fresh ? it : it.skip)('goes backwards from the end: the newest first (needs a fresh store)', async () => {
      await client().appendToStream(streams[2]!, events(1));
      expect(await read({ direction: 'backwards', fromPosition: 'end', maxCount: 1 })).toEqual([streams[2]]);
    });
    it('has nothing forwards from the end', async () => expect(await read({ fromPosition: 'end' })).toEqual([]));
    it('has nothing backwards from the start', async () =>
      expect(await read({ direction: 'backwards', fromPosition: 'start' })).toEqual([]));
    it('is the same in both directions', async () => {
      const some = { fromPosition: places[0]!, maxCount: 3 };
      const forwards = (await take(client().readAll(some))).map(({ event }) => event!.id);
      const newest = (await take(client().readAll({ fromPosition: places[2]!, maxCount: 1 })))[0]!.event!.id;
      const backwards = await take(client().readAll({ direction: 'backwards', fromPosition: places[2]!, maxCount: 2 }));
      expect([newest, ...backwards.map(({ event }) => event!.id)]).toEqual(forwards.toReversed());
    });
    it('shows the same revision, position and time as the stream does', async () => {
      const [inLog] = await take(client().readAll({ fromPosition: places[1]!, maxCount: 1 }));
      const [inStream] = await take(client().readStream(streams[1]!, { maxCount: 1 }));
      expect(inLog).toEqual(inStream);
    });
    it('shows metadata events as well', async () => {
      await client().setStreamMetadata(streams[0]!, { colour: 'blue' });
      const after = await take(client().readAll({ fromPosition: places[2]! }));
      expect(after.map(({ event }) => event!.streamId)).toContain(`$$${streams[0]}`);
    });
    (own ? it : it.skip)('gives nothing when no events are asked for, where the vendor never ends', async () =>
      expect(await read({ fromPosition: 'start', maxCount: 0 })).toEqual([]),
    );
  });
