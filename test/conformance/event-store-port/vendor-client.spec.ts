import type { EventEmitter } from 'node:events';
import grpc from '@grpc/grpc-js';
import type { EventData } from '@eventstore/db-client';
import { EventStoreDBClient } from '@eventstore/db-client';
import services from '@eventstore/db-client/generated/streams_grpc_pb.js';
import messages from '@eventstore/db-client/generated/streams_pb.js';
import { freePort } from '#kernel';
import { batchStreamsOf } from '../../../libs/ledger/src/batch-streams.js';
import type { Script } from './scripted-server.js';
import { startScripted, written } from './scripted-server.js';

type Proposed = messages.AppendReq.ProposedMessage | messages.BatchAppendReq.ProposedMessage;

const bytesOf = (value: object) => new Uint8Array(new TextEncoder().encode(JSON.stringify(value)));
const event = (id: string): EventData => ({
  ...{ id, type: 't', contentType: 'application/octet-stream' },
  ...{ data: bytesOf({ a: 1 }), metadata: bytesOf({ b: 2 }) },
});
const asStored = (event: Proposed) => ({
  contentType: event.getMetadataMap().get('content-type'),
  data: Buffer.from(event.getData_asU8()).toString(),
  metadata: Buffer.from(event.getCustomMetadata_asU8()).toString(),
});
const AS_JSON = { contentType: 'application/json', data: '{"a":1}', metadata: '{"b":2}' };
const ID = '0193d7c4-0000-7000-8000-000000000001';

/** What is changed in the vendor's client: it is read again when its version changes. */
describe("the vendor's client, made harmless", () => {
  const closing: (() => unknown)[] = [];
  const over = async (script: Script) => {
    const server = await startScripted(script);
    const client = EventStoreDBClient.connectionString(server.url);
    closing.push(server.close, () => client.dispose());
    return { client, batches: batchStreamsOf(client) };
  };
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  it('sends what it was given as bytes as JSON, in a batch', async () => {
    const stored: unknown[] = [];
    const { client } = await over({
      appends: (call) =>
        call.on('data', (asked: messages.BatchAppendReq) => {
          stored.push(...asked.getProposedMessagesList().map(asStored));
          call.write(written(asked));
        }),
    });
    await client.appendToStream('s', [event(ID)]);
    expect(stored).toEqual([AS_JSON]);
  }, 15_000);

  it('and without one, for a server that takes none', async () => {
    const stored: unknown[] = [];
    const { client } = await over({
      append: (call, done) =>
        call
          .on('data', (asked: messages.AppendReq) => {
            if (asked.hasProposedMessage()) stored.push(asStored(asked.getProposedMessage()!));
          })
          .on('end', () => done(null, new messages.AppendResp().setSuccess(new messages.AppendResp.Success()))),
    });
    // With credentials of its own an append never goes in a batch.
    await client.appendToStream('s', [event(ID)], { credentials: { username: 'a', password: 'b' } });
    expect(stored).toEqual([AS_JSON]);
  }, 15_000);

  it('adds no listeners with each append', async () => {
    const { client } = await over({ appends: (call) => call.on('data', (asked) => call.write(written(asked))) });
    type Grpc = { batchAppend: (...options: unknown[]) => EventEmitter };
    const { getGRPCClient } = client as unknown as { getGRPCClient: (service: unknown, name: string) => Promise<Grpc> };
    const grpc = await getGRPCClient(services.StreamsClient, 'spec');
    const { batchAppend } = grpc;
    const streams: EventEmitter[] = [];
    grpc.batchAppend = (...options) => {
      const stream = batchAppend(...options);
      streams.push(stream);
      return stream;
    };
    const listeners = async () => {
      await client.appendToStream('s', [event(ID)]);
      return streams[0]!.eventNames().map((name) => streams[0]!.listenerCount(name));
    };
    const before = await listeners();
    for (let n = 0; n < 5; n++) await listeners();
    expect(await listeners()).toEqual(before);
    expect(streams).toHaveLength(1);
  }, 15_000);

  it('leaves no stream open for ever at a server that does not answer', async () => {
    const [asked, ended, cancelled] = Array.from({ length: 3 }, () => Promise.withResolvers<unknown>());
    const { client, batches } = await over({
      appends: (call) =>
        call.once('data', asked!.resolve).once('end', ended!.resolve).once('cancelled', cancelled!.resolve),
    });
    void client.appendToStream('s', [event(ID)]).catch(() => undefined);
    await asked!.promise;
    batches.end(50);
    await ended!.promise;
    await cancelled!.promise;
  }, 15_000);

  it('nor one that a call opens which was still on its way there', async () => {
    const cancelled = Promise.withResolvers<unknown>();
    const { client, batches } = await over({ appends: (call) => call.resume().once('cancelled', cancelled.resolve) });
    batches.end(1_000); // from when it is opened: a call that is cancelled before there is a connection never arrives
    void client.appendToStream('s', [event(ID)]).catch(() => undefined);
    await cancelled.promise;
  }, 15_000);

  it('does not end the process when a stream fails while a node of the cluster is looked for in vain', async () => {
    const url = `esdb+discover://127.0.0.1:${await freePort('127.0.0.1')}?tls=false&maxDiscoverAttempts=1`;
    const client = EventStoreDBClient.connectionString(url);
    batchStreamsOf(client);
    const { handleError, getChannel } = client as unknown as {
      handleError: (client: unknown, error: Error) => Promise<void>;
      getChannel: () => Promise<unknown>;
    };
    const failed = Object.assign(new Error('gone'), { code: grpc.status.UNAVAILABLE, metadata: new grpc.Metadata() });
    const looking = getChannel().catch((error: unknown) => error);
    await expect(handleError({ getChannel: () => 'the one before' }, failed)).resolves.toBeUndefined();
    expect(await looking).toMatchObject({ message: 'Failed to discover after 1 attempts.' });
  }, 15_000);
});
