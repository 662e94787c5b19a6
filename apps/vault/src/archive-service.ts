import { once } from 'node:events';
import type { sendUnaryData, ServerReadableStream, ServerWritableStream } from '@grpc/grpc-js';
import { MakulerError } from '#kernel';
import type { ArchiveFrame, ArchiveMessage, Keeper } from '#vault/keeper';
import { frameOf, messageOf, toStatus } from '#vault/keeper';
import type { Calls } from './calls.js';

/** `Backup`: the copy goes out no faster than it is taken, so that it never stands in memory. */
export const backup =
  (keeper: Keeper, calls: Calls) =>
  (call: ServerWritableStream<object, ArchiveMessage>): void => {
    const send = async () => {
      const ended = new AbortController();
      call.once('cancelled', () => ended.abort());
      for await (const frame of keeper.backup()) {
        // Nobody takes it any more: the snapshot must not be kept open.
        if (ended.signal.aborted) return;
        if (!call.write(messageOf(frame)))
          await once(call, 'drain', { signal: ended.signal }).catch(unless(ended.signal));
      }
      call.end();
    };
    const serve = async () => {
      calls.authorize(call);
      await calls.run(call, send);
    };
    serve().catch((error: unknown) => call.emit('error', statusOf(error)));
  };

const unless = (ended: AbortSignal) => (error: unknown) => {
  if (!ended.aborted) throw error;
};

/** `Restore`: a caller that breaks off, or whose copy is not whole, has changed nothing. */
export const restore =
  (keeper: Keeper, calls: Calls) =>
  (call: ServerReadableStream<ArchiveMessage, object>, done: sendUnaryData<object>): void => {
    const take = async () => {
      const messages = (call as AsyncIterable<ArchiveMessage>)[Symbol.asyncIterator]();
      const first = (await messages.next()).value as ArchiveMessage | undefined;
      if (first?.frame !== 'begin' || !UUID.test(first.begin?.incarnation ?? ''))
        throw new MakulerError('invalid-input');
      await keeper.restore(framesOf(messages), first.begin!.incarnation);
    };
    const serve = async () => {
      calls.authorize(call);
      await calls.run(call, take);
    };
    serve().then(
      () => done(null, {}),
      (error: unknown) => done(statusOf(error), null),
    );
  };

async function* framesOf(messages: AsyncIterator<ArchiveMessage>): AsyncGenerator<ArchiveFrame, void> {
  for (;;) {
    const { value, done } = await messages.next();
    if (done) return;
    yield frameOf(value);
  }
}

/** Who may not call is told so as gRPC says it; everything else goes out with its code. */
const statusOf = (error: unknown): object =>
  typeof (error as { code?: unknown }).code === 'number' ? (error as object) : toStatus(error);

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
