import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { FromHolder, HolderSession, Keeper, ToHolder } from '#vault/keeper';
import { toStatus } from '#vault/keeper';
import type { Calls } from './calls.js';

/** One process's stream: its lease, and the notices to it. Messages are handled in order, each wholly before the next. */
export const hold =
  (keeper: Keeper, calls: Calls) =>
  (stream: ServerDuplexStream<FromHolder, ToHolder>): void => {
    let session: HolderSession | undefined;
    const refuse = (error: unknown) => {
      session?.disconnect();
      stream.emit('error', toStatus(error));
    };
    try {
      calls.authorize(stream);
    } catch (error) {
      stream.emit('error', error);
      return;
    }
    const greet = ({ holder, view, counter }: NonNullable<FromHolder['hello']>) => {
      const { holders } = keeper;
      const missed = view === keeper.view ? holders.since(counter) : undefined;
      stream.write({
        welcome: {
          view: keeper.view,
          counter: holders.counter,
          reset: missed === undefined,
          scopeIds: missed ?? [],
          leaseMs: holders.leaseMs,
        },
      });
      session = holders.connect(
        holder,
        (notice) =>
          stream.write(
            'renewed' in notice
              ? { renewed: notice.renewed.renewal }
              : 'shredded' in notice
                ? { shredded: notice.shredded }
                : notice,
          ),
        () => stream.end(),
      );
    };
    stream.on('data', (message: FromHolder) => {
      try {
        if (message.message === 'hello' && message.hello) greet(message.hello);
        else if (message.message === 'renew') session?.renew(message.renew!);
        else if (message.message === 'dropped') session?.dropped(message.dropped!);
        else if (message.message === 'quiet') session?.quiet(message.quiet!);
        else if (message.message === 'released') session?.release();
      } catch (error) {
        refuse(error);
      }
    });
    stream.on('end', () => {
      session?.disconnect();
      stream.end();
    });
    stream.on('cancelled', () => session?.disconnect());
    stream.on('error', () => session?.disconnect());
  };
