import grpc from '@grpc/grpc-js';
import { newId } from '#kernel';
import type { EventId } from '#kernel';
import type { StreamName } from '#ledger';
import { EventStoreDb } from '#ledger';
import type { AppendCall, Script } from './scripted-server.js';
import { startScripted, written } from './scripted-server.js';

/** What a connection that breaks gives to each of its calls. */
const BROKEN = { code: grpc.status.UNAVAILABLE, details: 'Connection dropped' };
/** More appends than the client's stream takes before it says that it is full (16). */
const MANY = 40;

describe('an event store that does not answer', () => {
  const closing: (() => unknown)[] = [];
  const storeOver = async (script: Script, silenceMs?: number) => {
    const server = await startScripted(script);
    const store = new EventStoreDb(server.url, silenceMs);
    closing.push(server.close, () => store.close());
    return store;
  };
  const append = (store: EventStoreDb, deadlineMs: number, data = {}) =>
    store.append('a' as StreamName, 'no-stream', [{ id: newId<EventId>(), type: 't', data, metadata: {} }], deadlineMs);
  const answering = (call: AppendCall) => call.on('data', (asked) => call.write(written(asked)));
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  it('refuses the append some time after its deadline, and makes the next one by another stream', async () => {
    let [left, ended] = [false, false];
    const store = await storeOver({
      appends: (call, n) => {
        if (n > 0) return void answering(call);
        call.on('data', () => (left = true)).on('end', () => (ended = true));
      },
    });
    await expect(append(store, 100)).rejects.toMatchObject({ code: 'store-unavailable' });
    expect(left).toBe(true);
    await append(store, 2_000);
    expect(ended).toBe(true);
  }, 15_000);

  it('refuses a read that brings nothing', async () => {
    const store = await storeOver({}, 200);
    const unavailable = { code: 'store-unavailable' };
    await expect(store.read('a' as StreamName)).rejects.toMatchObject(unavailable);
    await expect(store.head()).rejects.toMatchObject(unavailable);
  }, 15_000);

  it('does not end the process with an answer to what the failure of another stream has refused', async () => {
    const asked = Promise.withResolvers<() => void>();
    const slow = await storeOver({
      appends: (call) =>
        call.once('data', (request) => {
          asked.resolve(() => call.write(written(request)));
          answering(call);
        }),
    });
    const failing = await storeOver({
      appends: (call, n) => (n > 0 ? answering(call) : call.once('data', () => call.emit('error', BROKEN))),
    });
    const waiting = append(slow, 10_000);
    waiting.catch(() => {});
    const answer = await asked.promise;
    await expect(append(failing, 10_000)).rejects.toMatchObject({ code: 'store-unavailable' });
    await expect(waiting).rejects.toMatchObject({ code: 'store-unavailable' });
    answer();
    // What threw in the listener of that answer would fail this test, as it would end a process.
    await append(slow, 10_000);
  }, 15_000);

  it('refuses no append of the client that took the place of one that fails later', async () => {
    const fail = Promise.withResolvers<() => void>();
    const next = Promise.withResolvers<() => void>();
    const store = await storeOver(
      {
        appends: (call, n) => {
          if (n === 0) call.resume().once('end', () => fail.resolve(() => call.emit('error', BROKEN)));
          else call.once('data', (asked) => next.resolve(() => call.write(written(asked))));
        },
      },
      500,
    );
    await expect(append(store, 100)).rejects.toMatchObject({ code: 'store-unavailable' });
    const waiting = append(store, 10_000);
    const outcome = waiting.then(
      () => 'written',
      (error: unknown) => error,
    );
    const answer = await next.promise;
    (await fail.promise)();
    // Takes its time: by then the failure has long arrived.
    await expect(store.read('a' as StreamName)).rejects.toMatchObject({ code: 'store-unavailable' });
    answer();
    expect(await outcome).toBe('written');
  }, 20_000);

  it('does not end the process when a stream that is full breaks', async () => {
    const store = await storeOver({
      appends: (call) => {
        // Nobody reads, so most of what was written by then is still with the client.
        setTimeout(() => call.emit('error', BROKEN), 1_000);
      },
    });
    const filling = Array.from({ length: MANY }, () => append(store, 10_000, { filling: 'x'.repeat(100_000) }));
    for (const outcome of await Promise.allSettled(filling))
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'store-unavailable' } });
  }, 20_000);

  it('does not take a read that was cut short by closing for one that has come to its end', async () => {
    const begun = Promise.withResolvers<void>();
    const store = await storeOver({ reads: () => begun.resolve() });
    const reading = store.read('a' as StreamName);
    reading.catch(() => {});
    await begun.promise;
    await store.close();
    await expect(reading).rejects.toMatchObject({ code: 'store-unavailable' });
  }, 15_000);
});
