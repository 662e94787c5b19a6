import { binaryEvent, MaxAppendSizeExceededError, type EventStoreDBClient } from '@eventstore/db-client';
import { anEvent, newStream, PATHS, refusalOf, take, via, type Expectations, type Server } from './connection.js';

const MIB = 1024 * 1024;
const TYPE = 'big';
/** One event that counts as `size`: data, and the type twice. */
const eventOf = (size: number) => binaryEvent({ type: TYPE, data: new Uint8Array(size - 2 * TYPE.length) });

/** The size of an append. Real servers from 25.1 on, or configured otherwise, have another limit. */
export const describeLimits = (server: () => Server, client: () => EventStoreDBClient, { own }: Expectations): void =>
  (own ? describe.each(PATHS) : describe.skip.each(PATHS))('the limit of an append, 1 MiB, by %s', (path) => {
    const append = (what: Parameters<EventStoreDBClient['appendToStream']>[1], stream = newStream()) =>
      client().appendToStream(stream, what, via(path, server()));

    it('takes an append of exactly that size', async () => {
      expect(await append(eventOf(MIB))).toMatchObject({ success: true });
      expect(await append([eventOf(MIB / 2), eventOf(MIB / 2)])).toMatchObject({ success: true });
    });

    it.each([
      ['one byte more', [MIB + 1]],
      ['one byte more in two events', [MIB / 2, MIB / 2 + 1]],
      ['3 MiB', [3 * MIB]],
      ['5 MiB, which the client sends in parts', [2 * MIB, 3 * MIB]],
      ['15 MiB', [15 * MIB]],
    ])('refuses %s, says the limit and writes nothing', async (_, sizes) => {
      const stream = newStream();
      const error = await refusalOf(append(sizes.map(eventOf), stream));
      expect(error).toBeInstanceOf(MaxAppendSizeExceededError);
      expect(error).toMatchObject({ maxAppendSize: MIB });
      await expect(take(client().readStream(stream))).rejects.toMatchObject({ type: 'stream-not-found' });
    });

    it('counts the metadata', async () => {
      const half = new Uint8Array(MIB / 2);
      const error = await refusalOf(append(binaryEvent({ type: 'big', data: half, metadata: half })));
      expect(error).toBeInstanceOf(MaxAppendSizeExceededError);
    });

    it('counts many small events, and goes on afterwards', async () => {
      const stream = newStream();
      const small = Array.from({ length: 8_000 }, () => anEvent('happened', { text: 'x'.repeat(120) }));
      expect(await refusalOf(append(small, stream))).toBeInstanceOf(MaxAppendSizeExceededError);
      expect(await append(anEvent(), stream)).toMatchObject({ nextExpectedRevision: 0n });
    });

    it('fails a message of 20 MiB, and goes on afterwards', async () => {
      const stream = newStream();
      await expect(append(eventOf(20 * MIB), stream)).rejects.toMatchObject({ code: 8 });
      expect(await append(anEvent(), stream)).toMatchObject({ nextExpectedRevision: 0n });
    });
  });
