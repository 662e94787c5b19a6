import { once } from 'node:events';
import type { sendUnaryData, ServerReadableStream, ServerWritableStream } from '@grpc/grpc-js';
import { MakulerError } from '#kernel';
import type { ArchiveFrame, ArchiveMessage, Keeper } from '#vault/keeper';
import { authorized, frameOf, messageOf, toStatus } from '#vault/keeper';

/** `Backup`: the copy goes out no faster than it is taken, so that it never stands in memory. */
export const backup =
  (keeper: Keeper) =>
  (call: ServerWritableStream<object, ArchiveMessage>): void => {
    const send = async () => {
      authorized(call);
      const ended = new AbortController();
      call.once('cancelled', () => ended.abort());
      for await (const frame of keeper.backup()) {
        // Nobody takes it any more: the snapshot must not be kept open.
        if (ended.signal.aborted) return;
        if (!call.write(messageOf(frame))) await once(call, 'drain', { signal: ended.signal });
      }
      call.end();
    };
    send().catch((error: unknown) => call.emit('error', statusOf(error)));
  };

/** `Restore`: a caller that breaks off, or whose copy is not whole, has changed nothing. */
export const restore =
  (keeper: Keeper) =>
  (call: ServerReadableStream<ArchiveMessage, object>, done: sendUnaryData<object>): void => {
    const take = async () => {
      authorized(call);
      const messages = (call as AsyncIterable<ArchiveMessage>)[Symbol.asyncIterator]();
      const first = (await messages.next()).value as ArchiveMessage | undefined;
      if (first?.frame !== 'begin' || !UUID.test(first.begin?.incarnation ?? ''))
        throw new MakulerError('invalid-input');
      await keeper.restore(framesOf(messages), first.begin!.incarnation);
    };
    take().then(
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
