import { binaryEvent, jsonEvent, WrongExpectedVersionError, type EventStoreDBClient } from '@eventstore/db-client';
import { randomUUID } from 'node:crypto';
import { anEvent, events, newStream, PATHS, refusalOf, take, via, type Server } from './connection.js';

/** Expected revisions, and what is written comes back: the same by both paths. */
export const describeAppending = (server: () => Server, client: () => EventStoreDBClient): void =>
  describe.each(PATHS)('appending by %s', (path) => {
    const append = (
      stream: string,
      what: Parameters<EventStoreDBClient['appendToStream']>[1],
      expectedRevision?: unknown,
    ) =>
      client().appendToStream(stream, what, {
        ...via(path, server()),
        ...(expectedRevision === undefined ? {} : { expectedRevision: expectedRevision as bigint }),
      });
    const withEvents = async (count: number): Promise<string> => {
      const stream = newStream();
      await append(stream, events(count));
      return stream;
    };
    const idsOf = async (stream: string) => (await take(client().readStream(stream))).map(({ event }) => event!.id);

    it.each([
      ['any', 'an absent stream', 0, 'any', 0n],
      ['any', 'a stream with events', 3, 'any', 3n],
      ['no_stream', 'an absent stream', 0, 'no_stream', 0n],
      ['stream_exists', 'a stream with events', 2, 'stream_exists', 2n],
      ['the last revision', 'a stream with events', 4, 3n, 4n],
      ['revision 0', 'a stream with one event', 1, 0n, 1n],
    ])('writes with %s to %s', async (_, __, present, expectedRevision, next) => {
      const stream = present > 0 ? await withEvents(present) : newStream();
      const result = await append(stream, anEvent(), expectedRevision);
      expect(result).toMatchObject({ success: true, nextExpectedRevision: next });
      expect(await idsOf(stream)).toHaveLength(present + 1);
    });

    it.each([
      ['no_stream', 'a stream with events', 1, 'no_stream', 0n],
      ['stream_exists', 'an absent stream', 0, 'stream_exists', 'no_stream'],
      ['a revision that has passed', 'a stream with events', 3, 1n, 2n],
      ['a revision that is to come', 'a stream with events', 3, 7n, 2n],
      ['revision 0', 'an absent stream', 0, 0n, 'no_stream'],
      ['the largest revision', 'a stream with events', 1, 9223372036854775807n, 0n],
    ])('refuses %s on %s, and says where the stream is', async (_, __, present, expectedRevision, actual) => {
      const stream = present > 0 ? await withEvents(present) : newStream();
      const error = await refusalOf(append(stream, anEvent(), expectedRevision));
      expect(error).toBeInstanceOf(WrongExpectedVersionError);
      expect(error).toMatchObject({ streamName: stream, expectedVersion: expectedRevision, actualVersion: actual });
      if (present > 0) expect(await idsOf(stream)).toHaveLength(present);
    });

    it('counts a stream with nothing but metadata as existing', async () => {
      const stream = newStream();
      await client().setStreamMetadata(stream, { colour: 'blue' }, via(path, server()));
      expect(await append(stream, anEvent(), 'stream_exists')).toMatchObject({ nextExpectedRevision: 0n });
    });

    it('keeps the order of a batch and numbers it through', async () => {
      const [stream, batch] = [newStream(), events(100)];
      expect(await append(stream, batch)).toMatchObject({ nextExpectedRevision: 99n });
      expect(await idsOf(stream)).toEqual(batch.map(({ id }) => id));
    });

    it('writes all of a batch or nothing', async () => {
      const stream = await withEvents(1);
      await refusalOf(append(stream, events(5), 'no_stream'));
      expect(await idsOf(stream)).toHaveLength(1);
    });

    it('answers with the position at which the last event stands', async () => {
      const stream = newStream();
      const { position } = await append(stream, events(3));
      const [last] = await take(
        client().readStream(stream, { direction: 'backwards', fromRevision: 'end', maxCount: 1 }),
      );
      expect(position).toEqual(last?.event?.position);
      expect(last?.commitPosition).toBe(position?.commit);
      expect(position?.prepare).toBe(position?.commit);
    });

    it('gives JSON back as it was, metadata too', async () => {
      const stream = newStream();
      const event = jsonEvent({ type: 'æøå-🦊', data: { navn: 'Åse', n: [1, null] }, metadata: { fra: 'Ærfugl' } });
      const before = Date.now();
      await append(stream, event);
      const [read] = await take(client().readStream(stream));
      expect(read?.event).toMatchObject({
        streamId: stream,
        id: event.id,
        type: event.type,
        data: event.data,
        metadata: event.metadata,
        isJson: true,
        revision: 0n,
      });
      expect(Math.abs((read?.event?.created.getTime() ?? 0) - before)).toBeLessThan(60_000);
    });

    it('gives bytes back as they were, metadata too, empty ones as well', async () => {
      const stream = newStream();
      const bytes = Uint8Array.from({ length: 256 }, (_, n) => n);
      const none = new Uint8Array(0);
      await append(stream, [
        binaryEvent({ type: 'bytes', data: bytes, metadata: bytes }),
        binaryEvent({ type: 'none', data: none }),
      ]);
      const read = await take(client().readStream(stream));
      expect(read.map(({ event }) => Buffer.from(event!.data as Uint8Array))).toEqual([
        Buffer.from(bytes),
        Buffer.from(none),
      ]);
      expect(Buffer.from(read[0]!.event!.metadata as Uint8Array)).toEqual(Buffer.from(bytes));
      expect(read.map(({ event }) => [event!.isJson, event!.metadata === undefined])).toEqual([
        [false, false],
        [false, true],
      ]);
    });

    it('gives an upper-case id back in lower case', async () => {
      const [stream, id] = [newStream(), randomUUID()];
      await append(stream, jsonEvent({ id: id.toUpperCase(), type: 'happened', data: {} }));
      expect(await idsOf(stream)).toEqual([id]);
    });

    it('takes a stream name that is not ASCII, and names it in an error', async () => {
      const stream = `${newStream()}-blåbær-🫐`;
      await append(stream, anEvent());
      expect(await idsOf(stream)).toHaveLength(1);
      expect(await refusalOf(append(stream, anEvent(), 'no_stream'))).toMatchObject({ streamName: stream });
    });

    describe('an empty batch', () => {
      it('says that an absent stream is still absent', async () => {
        const stream = newStream();
        const result = await append(stream, []);
        expect(result).toMatchObject({ success: true, nextExpectedRevision: 0n });
        expect(result.position).toBeDefined();
        await expect(take(client().readStream(stream))).rejects.toThrow();
      });
      it('says where a stream is', async () => {
        const stream = await withEvents(3);
        expect(await append(stream, [])).toMatchObject({ success: true, nextExpectedRevision: 2n });
        expect(await append(stream, [], 2n)).toMatchObject({ success: true, nextExpectedRevision: 2n });
        expect(await idsOf(stream)).toHaveLength(3);
      });
      it('is refused with no_stream on a stream with events', async () => {
        const stream = await withEvents(1);
        expect(await refusalOf(append(stream, [], 'no_stream'))).toBeInstanceOf(WrongExpectedVersionError);
      });
    });
  });
