import type { EventStoreDBClient } from '@eventstore/db-client';
import type { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js';

type BatchStream = ReturnType<StreamsClient['batchAppend']>;
type GrpcClient = Partial<Pick<StreamsClient, 'batchAppend'>>;
/** Private in its types. The version is pinned, and `batchStreamsOf` refuses one that is made in another way. */
interface Internals {
  getGRPCClient: (service: unknown, name: string) => Promise<GrpcClient>;
}

/**
 * Makes the streams harmless by which a vendor's client appends (6.2.1, batchAppend.js and backpressuredWrite.js). Two things in
 * them end the whole process, both when a connection breaks under load:
 *
 * - all clients of a process keep their appends in one map, which is emptied when any stream of any of them fails; an answer
 *   that another stream then gets to one of these throws out of its listener. Nobody waits for such an answer: it is dropped.
 * - what is written while the stream is full waits in a queue, and the queue is refused in a promise that nobody holds. So no
 *   stream is ever full: that queue holds what Node holds now, and who appends waits for its answer all the same.
 *
 * Returns what ends them, each after the answers that are still to come.
 */
export const batchStreamsOf = (client: EventStoreDBClient): (() => void) => {
  const internals = client as unknown as Internals;
  const { getGRPCClient } = internals;
  if (typeof getGRPCClient !== 'function') throw new Error('this version of the event store client is not known');
  const open = new Set<BatchStream>();
  const known = new WeakSet<GrpcClient>();
  internals.getGRPCClient = async (service, name) => {
    const grpc = await getGRPCClient(service, name);
    const { batchAppend } = grpc;
    if (!batchAppend || known.has(grpc)) return grpc;
    known.add(grpc);
    grpc.batchAppend = (...options: unknown[]) => {
      const stream = harmless((batchAppend as (...o: unknown[]) => BatchStream).apply(grpc, options));
      open.add(stream);
      for (const end of ['error', 'close', 'end']) stream.on(end, () => open.delete(stream));
      return stream;
    };
    return grpc;
  };
  return () => {
    for (const stream of open) stream.end();
  };
};

const harmless = (stream: BatchStream): BatchStream => {
  const on = stream.on.bind(stream);
  const write = stream.write.bind(stream) as (...message: unknown[]) => boolean;
  const forgiving = (listener: (answer: unknown) => void) => (answer: unknown) => {
    try {
      listener(answer);
    } catch {
      // Whoever sent it was refused already, or is by the limit on silence: it does not know what came of it.
    }
  };
  const hooks = {
    on: (event: string, listener: (answer: unknown) => void) =>
      on(event, event === 'data' ? forgiving(listener) : listener),
    write: (...message: unknown[]) => {
      write(...message);
      return true;
    },
  };
  return Object.assign(stream, hooks) as BatchStream;
};
