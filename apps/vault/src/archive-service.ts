import { once } from 'node:events';
import type { ServerWritableStream } from '@grpc/grpc-js';
import type { ArchiveMessage, Keeper } from '#vault/keeper';
import { authorized, messageOf, toStatus } from '#vault/keeper';

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

/** Who may not call is told so as gRPC says it; everything else goes out with its code. */
const statusOf = (error: unknown): object =>
  typeof (error as { code?: unknown }).code === 'number' ? (error as object) : toStatus(error);
