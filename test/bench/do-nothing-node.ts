import { readFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import serverFeatures from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import grpc from '@grpc/grpc-js';
import { getSupportedMethods } from '../../apps/event-node/src/server-features.js';

/**
 * A program: a gRPC server on the classes generated for the vendor's client that stores nothing and answers at once. What
 * a server in JavaScript could reach at best, and so what the event node is compared with. Its read gives the same event
 * over and over, as often as it was asked for.
 */
const [certFile, keyFile] = process.argv.slice(2) as [string, string];
const EVENT = { data: Buffer.from(JSON.stringify({ filler: 'x'.repeat(240) })), metadata: Buffer.from('{"a":1}') };
let position = 0;

const position64 = (): string => String(++position);

const answered = (request: streams.BatchAppendReq): streams.BatchAppendResp => {
  const success = new streams.BatchAppendResp.Success();
  success.setCurrentRevision('0');
  const at = new shared.AllStreamPosition();
  at.setCommitPosition(position64());
  at.setPreparePosition(String(position));
  success.setPosition(at);
  const response = new streams.BatchAppendResp();
  response.setCorrelationId(request.getCorrelationId());
  response.setSuccess(success);
  response.setStreamIdentifier(request.getOptions()?.getStreamIdentifier());
  return response;
};

const batchAppend: grpc.handleBidiStreamingCall<streams.BatchAppendReq, streams.BatchAppendResp> = (call) => {
  call.on('data', (request: streams.BatchAppendReq) => {
    if (request.getIsFinal()) call.write(answered(request));
  });
  call.on('end', () => call.end());
  call.on('error', () => undefined);
};

const recorded = (): streams.ReadResp => {
  const event = new streams.ReadResp.ReadEvent.RecordedEvent();
  const id = new shared.UUID();
  id.setString(randomUUID());
  event.setId(id);
  const name = new shared.StreamIdentifier();
  name.setStreamName(Buffer.from('bench-stream'));
  event.setStreamIdentifier(name);
  event.setStreamRevision('0');
  event.setCommitPosition(position64());
  event.setPreparePosition(String(position));
  event
    .getMetadataMap()
    .set('type', 'bench')
    .set('created', '17000000000000000')
    .set('content-type', 'application/json');
  event.setCustomMetadata(EVENT.metadata);
  event.setData(EVENT.data);
  const read = new streams.ReadResp.ReadEvent();
  read.setEvent(event);
  read.setCommitPosition(String(position));
  const response = new streams.ReadResp();
  response.setEvent(read);
  return response;
};

const read: grpc.handleServerStreamingCall<streams.ReadReq, streams.ReadResp> = async (call) => {
  let left = Number(call.request.getOptions()?.getCount() ?? 0);
  while (left-- > 0 && !call.cancelled)
    if (!call.write(recorded())) await new Promise((resolve) => call.once('drain', resolve));
  call.end();
};

const unimplemented = (_: unknown, done: (error: Partial<grpc.StatusObject>) => void) =>
  done({ code: grpc.status.UNIMPLEMENTED });
const server = new grpc.Server();
server.addService(streamsService.StreamsService, {
  batchAppend,
  read,
  append: unimplemented,
  delete: unimplemented,
  tombstone: unimplemented,
});
server.addService(serverFeatures.ServerFeaturesService, { getSupportedMethods });
const pair = { cert_chain: await readFile(certFile), private_key: await readFile(keyFile) };
server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createSsl(null, [pair]), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${JSON.stringify({ event: 'ready', port })}\n`);
});
