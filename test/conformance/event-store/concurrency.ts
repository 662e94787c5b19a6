import { WrongExpectedVersionError, type EventStoreDBClient } from '@eventstore/db-client';
import { anEvent, clientOf, events, newStream, take, type Expectations, type Server } from './connection.js';

const WRITERS = 64;

/** Many at once: one order for all, and a follower misses nothing. */
export const describeConcurrency = (
  server: () => Server,
  client: () => EventStoreDBClient,
  { fresh }: Expectations,
): void =>
  describe('many at once', () => {
    it('lets one of many with the same expected revision win', async () => {
      const stream = newStream();
      const attempts = await Promise.allSettled(
        Array.from({ length: 50 }, () => client().appendToStream(stream, anEvent(), { expectedRevision: 'no_stream' })),
      );
      const lost = attempts.filter((attempt) => attempt.status === 'rejected');
      expect(lost).toHaveLength(49);
      for (const { reason } of lost) expect(reason).toBeInstanceOf(WrongExpectedVersionError);
    });

    it('gives a counter kept by expected revision every number once', async () => {
      const stream = newStream();
      await client().appendToStream(stream, anEvent());
      const increments = Array.from({ length: 8 }, async () => {
        for (let done = 0; done < 5;) {
          const [last] = await take(
            client().readStream(stream, { direction: 'backwards', fromRevision: 'end', maxCount: 1 }),
          );
          const written = await client()
            .appendToStream(stream, anEvent(), { expectedRevision: last!.event!.revision })
            .catch((error: unknown) => {
              if (!(error instanceof WrongExpectedVersionError)) throw error;
            });
          if (written) done++;
        }
      });
      await Promise.all(increments);
      expect(await take(client().readStream(stream))).toHaveLength(41);
    });

    it(`shows a follower all of what ${WRITERS} writers append, in the order of positions, and once`, async () => {
      const prefix = newStream();
      const writers = Array.from({ length: 4 }, () => clientOf(server()));
      const { position } = await client().appendToStream(prefix, anEvent());
      const follower = client().subscribeToAll({ fromPosition: position! });
      const perWriter = 25;
      const followed = (async () => {
        const seen: { id: string; position: bigint }[] = [];
        for await (const { event, commitPosition } of follower) {
          if (event!.streamId.startsWith(prefix)) seen.push({ id: event!.id, position: commitPosition! });
          if (seen.length === WRITERS * perWriter * 2) break;
        }
        return seen;
      })();
      const written = new Map<string, bigint>();
      await Promise.all(
        Array.from({ length: WRITERS }, async (_, writer) => {
          for (let n = 0; n < perWriter; n++) {
            const batch = events(2);
            const stream = `${prefix}-${writer % 16}`;
            const result = await writers[writer % writers.length]!.appendToStream(stream, batch);
            written.set(batch[1]!.id, result.position!.commit);
          }
        }),
      );
      const seen = await followed;
      await Promise.all(writers.map((each) => each.dispose()));
      expect(new Set(seen.map(({ id }) => id)).size).toBe(WRITERS * perWriter * 2);
      expect(seen.every((event, n) => n === 0 || event.position > seen[n - 1]!.position)).toBe(true);
      for (const { id, position: at } of seen) if (written.has(id)) expect(at).toBe(written.get(id));
      if (fresh) expect(seen.at(-1)!.position - seen[0]!.position).toBe(BigInt(seen.length - 1));
    });

    it('answers an append only when a read sees it', async () => {
      await Promise.all(
        Array.from({ length: 32 }, async () => {
          const stream = newStream();
          for (let n = 1; n <= 5; n++) {
            await client().appendToStream(stream, anEvent());
            expect(await take(client().readStream(stream))).toHaveLength(n);
          }
        }),
      );
    });
  });
