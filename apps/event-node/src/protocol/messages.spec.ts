import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import timestampPb from 'google-protobuf/google/protobuf/timestamp_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { decodeAppendPart, decodeBatchAppendPart, encodeBatchSuccess } from './append-messages.js';
import { encodeReadEvent } from './recorded-event.js';
import { eachField, WireError } from './wire.js';

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const text = fc.string({ unit: 'grapheme', maxLength: 200 });
const number = fc.oneof(fc.nat(300), fc.maxSafeNat());

/** Our messages against the classes that the vendor's client uses. */
describe('messages', () => {
  it('recorded events are read by the client as they were written', () =>
    fc.assert(
      fc.property(
        fc.record({
          position: number,
          stream: text,
          revision: number,
          type: text,
          json: fc.boolean(),
          created: number,
        }),
        bytes,
        bytes,
        (event, data, metadata) => {
          const id = randomUUID();
          const message = streams.ReadResp.deserializeBinary(encodeReadEvent({ ...event, id, data, metadata }));
          const read = message.getEvent()!;
          const record = read.getEvent()!;
          expect({
            positions: [read.getCommitPosition(), record.getCommitPosition(), record.getPreparePosition()],
            stream: Buffer.from(record.getStreamIdentifier()!.getStreamName_asU8()),
            revision: record.getStreamRevision(),
            id: record.getId()!.getString(),
            properties: Object.fromEntries(record.getMetadataMap().getEntryList()),
            data: Buffer.from(record.getData_asU8()),
            metadata: Buffer.from(record.getCustomMetadata_asU8()),
          }).toEqual({
            positions: Array.from({ length: 3 }, () => String(event.position)),
            stream: Buffer.from(event.stream),
            revision: String(event.revision),
            id,
            properties: {
              type: Buffer.from(event.type).toString(),
              'content-type': event.json ? 'application/json' : 'application/octet-stream',
              created: `${event.created}0000`,
            },
            data,
            metadata,
          });
        },
      ),
    ));

  const expectations: [string, (options: streams.BatchAppendReq.Options) => unknown, unknown][] = [
    ['any', (options) => options.setAny(new emptyPb.Empty()), 'any'],
    ['no_stream', (options) => options.setNoStream(new emptyPb.Empty()), 'no_stream'],
    ['stream_exists', (options) => options.setStreamExists(new emptyPb.Empty()), 'stream_exists'],
    ['revision 0', (options) => options.setStreamPosition('0'), 0n],
    ['the largest revision', (options) => options.setStreamPosition('18446744073709551615'), 2n ** 64n - 1n],
    ['nothing', () => {}, undefined],
  ];
  it.each(expectations)('batch appends of the client are understood, expecting %s', (_, set, expected) =>
    fc.assert(
      fc.property(text, text, bytes, bytes, fc.boolean(), (stream, type, data, metadata, isFinal) => {
        const [correlation, id] = [new shared.UUID().setString(randomUUID()), randomUUID()];
        const options = new streams.BatchAppendReq.Options();
        const identifier = new shared.StreamIdentifier().setStreamName(Buffer.from(stream));
        options.setStreamIdentifier(identifier);
        options.setDeadline(timestampPb.Timestamp.fromDate(new Date(Date.now() + 60_000)));
        set(options);
        const message = new streams.BatchAppendReq.ProposedMessage();
        message.setId(new shared.UUID().setString(id.toUpperCase()));
        message.setData(data);
        message.setCustomMetadata(metadata);
        message.getMetadataMap().set('type', type).set('content-type', 'application/json');
        const request = new streams.BatchAppendReq();
        request.setCorrelationId(correlation);
        request.setOptions(options);
        request.setProposedMessagesList([message, message]);
        request.setIsFinal(isFinal);
        const part = decodeBatchAppendPart(Buffer.from(request.serializeBinary()));
        const proposal = { id, type: Buffer.from(type).toString(), contentType: 'application/json', data, metadata };
        expect(part).toMatchObject({ isFinal, proposals: [proposal, proposal] });
        expect(part.correlation).toEqual(Buffer.from(correlation.serializeBinary()));
        expect(part.options).toMatchObject({ stream: Buffer.from(stream), expected });
        expect(part.options!.identifier).toEqual(Buffer.from(identifier.serializeBinary()));
        expect(Math.abs(part.options!.remainingMs! - 60_000)).toBeLessThan(10_000);
      }),
      { numRuns: 30 },
    ),
  );

  it('unary appends of the client are understood', () => {
    const options = new streams.AppendReq.Options();
    options.setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from('s')));
    options.setRevision('7');
    const first = decodeAppendPart(Buffer.from(new streams.AppendReq().setOptions(options).serializeBinary()));
    expect(first).toMatchObject({
      options: { stream: Buffer.from('s'), expected: 7n, remainingMs: undefined },
      proposals: [],
    });
    const message = new streams.AppendReq.ProposedMessage().setId(new shared.UUID().setString('x'));
    const second = decodeAppendPart(Buffer.from(new streams.AppendReq().setProposedMessage(message).serializeBinary()));
    expect(second.proposals).toMatchObject([{ id: undefined, type: undefined, contentType: undefined }]);
  });

  it.each([
    [-1, 0],
    [0, 1],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ])('receipts are read by the client: revision %s at %s', (revision, position) => {
    const correlation = Buffer.from(new shared.UUID().setString(randomUUID()).serializeBinary());
    const identifier = Buffer.from(
      new shared.StreamIdentifier().setStreamName(Buffer.from('blåbær')).serializeBinary(),
    );
    const reply = streams.BatchAppendResp.deserializeBinary(
      encodeBatchSuccess(correlation, identifier, revision, position),
    );
    expect(Buffer.from(reply.getCorrelationId()!.serializeBinary())).toEqual(correlation);
    expect(Buffer.from(reply.getStreamIdentifier()!.serializeBinary())).toEqual(identifier);
    const success = reply.getSuccess()!;
    expect([success.hasNoStream(), success.getCurrentRevision()]).toEqual([
      revision < 0,
      revision < 0 ? '0' : String(revision),
    ]);
    expect(success.getPosition()!.toObject()).toEqual({
      commitPosition: String(position),
      preparePosition: String(position),
    });
  });

  it('what is no message is refused, whatever it is', () =>
    fc.assert(
      fc.property(bytes, (noise) => {
        try {
          decodeBatchAppendPart(noise);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 1_000 },
    ));
  it('a message that breaks off is refused', () => {
    expect(() => eachField(Buffer.from([0x0a, 0x05, 0x01]), () => {})).toThrow(WireError);
    expect(() => eachField(Buffer.from([0x08, 0xff]), () => {})).toThrow(WireError);
  });
});
