import { Readable } from 'node:stream';
import type { EventStoreDBClient } from '@eventstore/db-client';
import { batchesOf } from './event-store-db-subscription.js';

const resolved = (commit: bigint) => ({
  event: {
    id: `0000000${commit}-0000-4000-8000-000000000000`,
    type: 'thing.happened',
    streamId: 'thing-1',
    revision: commit,
    isJson: true,
    data: {},
    metadata: {},
    position: { commit, prepare: commit },
  },
});

describe('a subscription in batches', () => {
  it('says that the end was met, also when that happens while a batch is out', async () => {
    const source = Object.assign(new Readable({ objectMode: true, read: () => undefined }), {
      unsubscribe: async () => void source.destroy(),
    });
    const client = { subscribeToAll: () => source } as unknown as EventStoreDBClient;
    const stop = new AbortController();
    source.push(resolved(1n));
    const said: unknown[] = [];
    for await (const { events, position, live } of batchesOf(client, { maxBatch: 10, signal: stop.signal })) {
      said.push([events.length, position, live]);
      if (events.length > 0) source.emit('caughtUp');
      else stop.abort();
    }
    expect(said).toEqual([
      [1, 1n, false],
      [0, 1n, true],
    ]);
  }, 5_000);

  it('is not at the end while events of before it still wait in the stream', async () => {
    const source = Object.assign(new Readable({ objectMode: true, read: () => undefined }), {
      unsubscribe: async () => void source.destroy(),
    });
    const client = { subscribeToAll: () => source } as unknown as EventStoreDBClient;
    const stop = new AbortController();
    // With batches of one, two are taken and two are left in the stream, which is then paused.
    for (const commit of [1n, 2n, 3n, 4n]) source.push(resolved(commit));
    const said: unknown[] = [];
    for await (const { events, position, live } of batchesOf(client, { maxBatch: 1, signal: stop.signal })) {
      said.push([events.length, position, live]);
      if (position === 1n) source.emit('caughtUp');
      if (live) stop.abort();
    }
    expect(said).toEqual([
      [1, 1n, false],
      [1, 2n, false],
      [1, 3n, false],
      [1, 4n, true],
    ]);
  }, 5_000);

  it('gives everything in order, however much has arrived before it is asked for', async () => {
    const COUNT = 1_000;
    let next = 1n;
    const source = Object.assign(
      new Readable({ objectMode: true, read: () => void (next <= COUNT && source.push(resolved(next++))) }),
      { unsubscribe: async () => void source.destroy() },
    );
    const client = { subscribeToAll: () => source } as unknown as EventStoreDBClient;
    const stop = new AbortController();
    const positions: bigint[] = [];
    for await (const { events, live } of batchesOf(client, { maxBatch: 7, signal: stop.signal })) {
      expect(events.length).toBeLessThanOrEqual(7);
      positions.push(...events.map(({ position }) => position));
      if (positions.length % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      if (positions.length === COUNT && !live) source.emit('caughtUp');
      if (live) stop.abort();
    }
    expect(positions).toEqual(Array.from({ length: COUNT }, (_, n) => BigInt(n + 1)));
  }, 10_000);
});
