import grpc from '@grpc/grpc-js';
import serverFeatures from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_grpc_pb.js';
import messages from '@eventstore/db-client/generated/streams_pb.js';
import { notBuilt } from '../../../apps/event-node/src/not-built.js';
import { getSupportedMethods } from '../../../apps/event-node/src/server-features.js';

export type AppendCall = grpc.ServerDuplexStream<messages.BatchAppendReq, messages.BatchAppendResp>;
export type SingleAppendCall = grpc.ServerReadableStream<messages.AppendReq, messages.AppendResp>;
export type ReadCall = grpc.ServerWritableStream<messages.ReadReq, messages.ReadResp>;

export interface Script {
  /** The n-th stream of appends, from 0. */
  readonly appends?: (call: AppendCall, n: number) => void;
  /** An append with a stream of its own. */
  readonly append?: (call: SingleAppendCall, done: grpc.sendUnaryData<messages.AppendResp>) => void;
  readonly reads?: (call: ReadCall) => void;
}

/** A server of the event store's protocol that does what it is told, and nothing by itself; without TLS. */
export const startScripted = async ({ appends = () => {}, append = () => {}, reads = () => {} }: Script) => {
  let count = 0;
  const server = new grpc.Server();
  server.addService(
    streams.StreamsService as never,
    {
      ...notBuilt(streams.StreamsService, 'not in the script'),
      batchAppend: (call: AppendCall) => appends(call, count++),
      append,
      read: reads,
    } as never,
  );
  server.addService(serverFeatures.ServerFeaturesService as never, { getSupportedMethods } as never);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return { url: `esdb://127.0.0.1:${port}?tls=false`, close: () => server.forceShutdown() };
};

/** As the server says that an append was written. */
export const written = (asked: messages.BatchAppendReq): messages.BatchAppendResp => {
  const answer = new messages.BatchAppendResp();
  answer.setCorrelationId(asked.getCorrelationId());
  answer.setStreamIdentifier(asked.getOptions()?.getStreamIdentifier());
  answer.setSuccess(new messages.BatchAppendResp.Success());
  return answer;
};
