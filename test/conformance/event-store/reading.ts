import { StreamNotFoundError, type EventStoreDBClient, type ReadStreamOptions } from '@eventstore/db-client';
import { events, newStream, refusalOf, take, type Expectations, type Server } from './connection.js';

/** Reading one stream, both ways, from and beyond every edge. */
export const describeReading = (_: () => Server, client: () => EventStoreDBClient, { own }: Expectations): void =>
  describe('reading a stream', () => {
    let stream: string;
    beforeAll(async () => {
      stream = newStream();
      await client().appendToStream(stream, events(10));
    });
    const revisions = async (options: ReadStreamOptions, name = stream) =>
      (await take(client().readStream(name, options))).map(({ event }) => Number(event!.revision));
    const from = (fromRevision: bigint | 'start' | 'end', direction: 'forwards' | 'backwards', maxCount?: number) =>
      revisions({ fromRevision, direction, ...(maxCount === undefined ? {} : { maxCount }) });

    it.each<[string, bigint | 'start' | 'end', 'forwards' | 'backwards', number | undefined, number[]]>([
      ['forwards from the start', 'start', 'forwards', undefined, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
      ['forwards from a revision, inclusive', 7n, 'forwards', undefined, [7, 8, 9]],
      ['forwards, no more than asked for', 2n, 'forwards', 3, [2, 3, 4]],
      ['forwards from the last', 9n, 'forwards', undefined, [9]],
      ['forwards from beyond the end', 10n, 'forwards', undefined, []],
      ['forwards from far beyond the end', 9223372036854775807n, 'forwards', undefined, []],
      ['backwards from the end', 'end', 'backwards', undefined, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]],
      ['backwards from the end, no more than asked for', 'end', 'backwards', 2, [9, 8]],
      ['backwards from a revision, inclusive', 2n, 'backwards', undefined, [2, 1, 0]],
      ['backwards from the start', 'start', 'backwards', undefined, [0]],
      ['backwards from revision 0', 0n, 'backwards', undefined, [0]],
      ['backwards from beyond the end', 500n, 'backwards', 2, [9, 8]],
    ])('%s', async (__, fromRevision, direction, maxCount, expected) =>
      expect(await from(fromRevision, direction, maxCount)).toEqual(expected),
    );

    // The vendor's server fails the first and never ends the second.
    (own ? it : it.skip)('forwards from the end gives nothing', async () =>
      expect(await from('end', 'forwards')).toEqual([]),
    );
    (own ? it : it.skip)('no events asked for, none given', async () =>
      expect(await from('start', 'forwards', 0)).toEqual([]),
    );

    it.each(['forwards', 'backwards'] as const)('says that a stream was never written, %s', async (direction) => {
      const absent = newStream();
      const options = { direction, fromRevision: direction === 'forwards' ? ('start' as const) : ('end' as const) };
      const error = await refusalOf(revisions(options, absent));
      expect(error).toBeInstanceOf(StreamNotFoundError);
      expect(String(error['streamName'])).toBe(absent);
    });

    it('says the same of a stream that has metadata only', async () => {
      const absent = newStream();
      await client().setStreamMetadata(absent, { colour: 'blue' });
      expect(await refusalOf(revisions({}, absent))).toBeInstanceOf(StreamNotFoundError);
    });

    it('gives metadata back, the newest', async () => {
      await client().setStreamMetadata(stream, { colour: 'blue' });
      await client().setStreamMetadata(stream, { colour: 'green', $cacheControl: 3 } as never);
      expect((await client().getStreamMetadata(stream)).metadata).toMatchObject({ colour: 'green' });
    });

    it('knows streams by their whole name and its case', async () => {
      await client().appendToStream(stream.toUpperCase(), events(2));
      await client().appendToStream(`${stream}-more`, events(1));
      expect(await from('start', 'forwards')).toHaveLength(10);
    });

    it('gives a long stream completely, in order, across its pages', async () => {
      const long = newStream();
      for (let n = 0; n < 3; n++) await client().appendToStream(long, events(1_000));
      const all = await revisions({}, long);
      expect(all).toEqual(Array.from({ length: 3_000 }, (__, n) => n));
      expect(await revisions({ direction: 'backwards', fromRevision: 'end' }, long)).toEqual(all.toReversed());
      expect(await revisions({ maxCount: 2_001 }, long)).toHaveLength(2_001);
    });

    it('gives large events completely, across pages cut by size', async () => {
      const large = newStream();
      const blob = 'x'.repeat(700_000);
      for (let n = 0; n < 8; n++) await client().appendToStream(large, { ...events(1)[0]!, data: { blob, n } });
      expect(await revisions({}, large)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      expect(await revisions({ direction: 'backwards', fromRevision: 'end' }, large)).toEqual([7, 6, 5, 4, 3, 2, 1, 0]);
    });

    it('can be left half-way, and read again', async () => {
      const long = newStream();
      await client().appendToStream(long, events(2_000));
      expect(await take(client().readStream(long), 5)).toHaveLength(5);
      expect(await revisions({}, long)).toHaveLength(2_000);
    });
  });
