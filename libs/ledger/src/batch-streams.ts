import type { EventStoreDBClient } from '@eventstore/db-client';
import type { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { AppendReq, BatchAppendReq } from '@eventstore/db-client/generated/streams_pb.js';

type BatchStream = ReturnType<StreamsClient['batchAppend']>;
type GrpcClient = Partial<Pick<StreamsClient, 'batchAppend' | 'append' | 'close'>>;
/** Private in its types. The version is pinned, and `batchStreamsOf` refuses one that is made in another way. */
interface Internals {
  getGRPCClient: (service: unknown, name: string) => Promise<GrpcClient>;
  handleError: (client: GrpcClient, error: Error) => Promise<void>;
}

/** The streams by which one of the vendor's clients appends. */
export interface BatchStreams {
  /**
   * Ends them, each after the answers that are still to come, for which it has `withinMs`. A server that answers nothing keeps them
   * no longer: they are cancelled then, and so is one that is opened later, `withinMs` after that.
   */
  end(withinMs: number): void;
}

/**
 * Makes a vendor's client (6.2.1) harmless. Three things in it end the whole process when a connection breaks (Client/index.js,
 * batchAppend.js and backpressuredWrite.js):
 *
 * - all clients of a process keep their appends in one map, which is emptied when any stream of any of them fails; an answer
 *   that another stream then gets to one of these throws out of its listener. Nobody waits for such an answer: it is dropped.
 * - what is written while the stream is full waits in a queue, and the queue is refused in a promise that nobody holds. So no
 *   stream is ever full: that queue holds what Node holds now, and who appends waits for its answer all the same.
 * - a stream that fails while another connection is being made waits for that one; when it comes to nothing (no node of a cluster
 *   was found), it does so in a promise that nobody holds. There is nothing to be done about it: the next call says so.
 *
 * And what it is given as bytes it calls no JSON (`asJson`).
 */
export const batchStreamsOf = (client: EventStoreDBClient): BatchStreams => {
  const internals = client as unknown as Internals;
  const { getGRPCClient, handleError } = internals;
  if (typeof getGRPCClient !== 'function' || typeof handleError !== 'function')
    throw new Error('this version of the event store client is not known');
  internals.handleError = (grpc, error) => handleError(grpc, error).catch(() => undefined);
  const open = new Set<BatchStream>();
  let endedWithinMs: number | undefined;
  const left = new WeakSet<BatchStream>();
  const known = new WeakSet<GrpcClient>();
  internals.getGRPCClient = async (service, name) => {
    const grpc = await getGRPCClient(service, name);
    const { batchAppend, append } = grpc;
    if (!batchAppend || !append || known.has(grpc)) return grpc;
    known.add(grpc);
    grpc.append = withJson(append.bind(grpc) as never);
    grpc.batchAppend = (...options: unknown[]) => {
      const stream = (batchAppend as (...o: unknown[]) => BatchStream).apply(grpc, options);
      open.add(stream);
      for (const end of ['error', 'close', 'end']) stream.on(end, () => open.delete(stream));
      // Of a call that was still looking for a node when this client was replaced.
      if (endedWithinMs !== undefined) leave(stream, endedWithinMs);
      return harmless(stream, () => left.has(stream));
    };
    return grpc;
  };
  const leave = (stream: BatchStream, withinMs: number) => {
    left.add(stream);
    const cancel = () => {
      stream.end(); // one that was never ended is waited for by `dispose`, however it was cancelled
      stream.cancel();
    };
    setTimeout(cancel, withinMs).unref();
  };
  const end = (withinMs: number) => {
    endedWithinMs = withinMs;
    for (const stream of open) {
      leave(stream, withinMs);
      stream.end();
    }
  };
  return { end };
};

/** `isLeft`: whether the stream was ended here. Its failure is then no longer one of the appends of the others, who share the map. */
const harmless = (stream: BatchStream, isLeft: () => boolean): BatchStream => {
  const on = stream.on.bind(stream);
  const write = stream.write.bind(stream) as (message: BatchAppendReq, ...more: unknown[]) => boolean;
  const forgiving = (listener: (answer: unknown) => void) => (answer: unknown) => {
    try {
      listener(answer);
    } catch {
      // Whoever sent it was refused already, or is by the limit on silence: it does not know what came of it.
    }
  };
  // Only what stays: `once` comes through here too, and takes its listener away again by what it has added.
  const alone = (listener: (error: unknown) => void) =>
    'listener' in listener ? listener : (error: unknown) => (isLeft() ? undefined : listener(error));
  const hooks = {
    on: (event: string, listener: (given: unknown) => void) =>
      on(event, event === 'data' ? forgiving(listener) : event === 'error' ? alone(listener) : listener),
    write: (message: BatchAppendReq, ...more: unknown[]) => {
      for (const event of message.getProposedMessagesList()) asJson(event);
      write(message, ...more);
      return true;
    },
  };
  return Object.assign(stream, hooks) as BatchStream;
};

type Proposed = AppendReq.ProposedMessage | BatchAppendReq.ProposedMessage;

/** All that we write is JSON. The client takes bytes only of what it calls something else; said here, as the event goes out. */
const asJson = (event: Proposed): unknown => event.getMetadataMap().set('content-type', 'application/json');

/** The same for a server that takes no batches, whose stream is made anew for each append. */
const withJson =
  (append: (...options: unknown[]) => ReturnType<StreamsClient['append']>) =>
  (...options: unknown[]) => {
    const stream = append(...options);
    const write = stream.write.bind(stream) as (message: AppendReq, ...more: unknown[]) => boolean;
    const hook = (message: AppendReq, ...more: unknown[]) => {
      const event = message.getProposedMessage();
      if (event) asJson(event);
      return write(message, ...more);
    };
    return Object.assign(stream, { write: hook }) as ReturnType<StreamsClient['append']>;
  };
