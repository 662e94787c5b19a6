import type { Channel } from '@grpc/grpc-js';
import type { EventStoreDBClient } from '@eventstore/db-client';

/**
 * Bytes that a server may send ahead of what was read. By default 64 KiB, some sixty events: then the server waits for this process
 * and this process for the server, by turns, and each hears of a hundred bytes at a time.
 */
const WINDOW_BYTES = 1024 * 1024;

/** Private in their types. The versions are pinned, and `widenWindowOf` refuses what is made in another way. */
interface Internals {
  createChannel: () => Promise<Channel>;
}
interface ChannelInternals {
  readonly internalChannel?: { readonly options?: Record<string, unknown> };
}

/** Gives a vendor's client (6.2.1) a window of its own size, for which it has no setting: its channels are told before they connect. */
export const widenWindowOf = (client: EventStoreDBClient): void => {
  const internals = client as unknown as Internals;
  const { createChannel } = internals;
  if (typeof createChannel !== 'function') throw new Error('this version of the event store client is not known');
  internals.createChannel = async () => {
    const channel = await createChannel();
    const options = (channel as unknown as ChannelInternals).internalChannel?.options;
    if (!options) throw new Error('this version of gRPC is not known');
    options['grpc-node.flow_control_window'] = WINDOW_BYTES;
    return channel;
  };
};
