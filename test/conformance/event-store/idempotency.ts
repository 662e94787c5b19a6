import { WrongExpectedVersionError, type EventData, type EventStoreDBClient } from '@eventstore/db-client';
import {
  anEvent,
  events,
  newStream,
  PATHS,
  refusalOf,
  take,
  via,
  type Expectations,
  type Server,
} from './connection.js';

const NEW = -1;

/** What a repeat gives, as measured on EventStoreDB 24.6: the same by both paths. */
export const describeIdempotency = (
  server: () => Server,
  client: () => EventStoreDBClient,
  { own }: Expectations,
): void =>
  describe.each(PATHS)('repeating an append by %s', (path) => {
    const append = (stream: string, what: EventData[], expectedRevision: unknown) =>
      client().appendToStream(stream, what, { ...via(path, server()), expectedRevision: expectedRevision as bigint });
    const idsOf = async (stream: string) => (await take(client().readStream(stream))).map(({ event }) => event!.id);

    /** E of the table: three events, written with no_stream. */
    const written = async () => {
      const [stream, batch] = [newStream(), events(3)];
      const first = await append(stream, batch, 'no_stream');
      const positions = (await take(client().readStream(stream))).map(({ event }) => event!.position);
      return { stream, batch, first, positions };
    };

    it.each(['no_stream', 'any', 'stream_exists'])(
      'with %s answers as the first time and writes nothing',
      async (expected) => {
        const { stream, batch, first } = await written();
        expect(await append(stream, batch, expected)).toEqual(first);
        expect(await idsOf(stream)).toHaveLength(3);
      },
    );

    it.each(['no_stream', 'any', 'stream_exists'])('with %s does so after later events too', async (expected) => {
      const { stream, batch, first } = await written();
      await append(stream, events(2), 'any');
      expect(await append(stream, batch, expected)).toEqual(first);
      expect(await idsOf(stream)).toHaveLength(5);
    });

    it.each([
      ['the first two with no_stream', [0, 1], 'no_stream', 1],
      ['the last two with any', [1, 2], 'any', 2],
      ['the last two with revision 0', [1, 2], 0n, 2],
      ['the last one with revision 1', [2], 1n, 2],
      ['the second and the first with any', [1, 0], 'any', 0],
    ])('of a part of it, %s, answers with the place of its last event', async (_, indexes, expected, last) => {
      const { stream, batch, positions } = await written();
      const result = await append(
        stream,
        indexes.map((n) => batch[n]!),
        expected,
      );
      expect(result).toEqual({ success: true, nextExpectedRevision: BigInt(last), position: positions[last] });
      expect(await idsOf(stream)).toHaveLength(3);
    });

    it('with the current revision writes it again', async () => {
      const { stream, batch } = await written();
      expect(await append(stream, batch, 2n)).toMatchObject({ nextExpectedRevision: 5n });
      const ids = batch.map(({ id }) => id);
      expect(await idsOf(stream)).toEqual([...ids, ...ids]);
    });

    it.each([
      ['the first two and a new one with no_stream', [0, 1, NEW], 'no_stream'],
      ['the last one and a new one with any', [2, NEW], 'any'],
      ['the last one and a new one with revision 1', [2, NEW], 1n],
      ['the first and the third with no_stream', [0, 2], 'no_stream'],
      ['the second alone with no_stream', [1], 'no_stream'],
    ])('mixed, %s, is refused and writes nothing', async (_, indexes, expected) => {
      const { stream, batch } = await written();
      const mixed = indexes.map((n) => (n === NEW ? anEvent() : batch[n]!));
      const error = await refusalOf(append(stream, mixed, expected));
      expect(error).toBeInstanceOf(WrongExpectedVersionError);
      expect(error).toMatchObject({ actualVersion: 2n });
      expect(await idsOf(stream)).toHaveLength(3);
    });

    it('after a new event with any is written, the duplicate too', async () => {
      const { stream, batch } = await written();
      expect(await append(stream, [anEvent(), batch[0]!], 'any')).toMatchObject({ nextExpectedRevision: 4n });
      expect(await idsOf(stream)).toHaveLength(5);
    });

    it('inside one batch is written twice', async () => {
      const [stream, event] = [newStream(), anEvent()];
      expect(await append(stream, [event, event], 'any')).toMatchObject({ nextExpectedRevision: 1n });
    });

    it('in another stream is written there', async () => {
      const { batch } = await written();
      const other = newStream();
      expect(await append(other, batch, 'no_stream')).toMatchObject({ nextExpectedRevision: 2n });
      expect(await append(newStream(), batch, 'any')).toMatchObject({ nextExpectedRevision: 2n });
      expect(await idsOf(other)).toHaveLength(3);
    });

    it('many times at once writes it once', async () => {
      const [stream, batch] = [newStream(), events(2)];
      const results = await Promise.all(Array.from({ length: 20 }, () => append(stream, batch, 'any')));
      expect(new Set(results.map(({ position }) => position?.commit)).size).toBe(1);
      expect(await idsOf(stream)).toHaveLength(2);
    });

    // The vendor's server remembers what was committed lately, in memory.
    (own ? it : it.skip)('is recognised with any, however much was written in between', async () => {
      const { stream, batch, first } = await written();
      for (let n = 0; n < 5; n++) await append(newStream(), events(2_000), 'any');
      expect(await append(stream, batch, 'any')).toEqual(first);
    });
  });
