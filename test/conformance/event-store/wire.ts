import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import type grpc from '@grpc/grpc-js';
import type { EventStoreDBClient } from '@eventstore/db-client';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import timestampPb from 'google-protobuf/google/protobuf/timestamp_pb.js';
import { newStream, rawClientOf, take, type Expectations, type Server } from './connection.js';

const { BatchAppendReq } = streams;
type Batch = grpc.ClientDuplexStream<streams.BatchAppendReq, streams.BatchAppendResp>;

const uuid = (text: string): shared.UUID => new shared.UUID().setString(text);
const deadlineIn = (milliseconds: number) => timestampPb.Timestamp.fromDate(new Date(Date.now() + milliseconds));

interface Part {
  readonly correlation: string;
  /** Given in the first part only. */
  readonly stream?: string;
  readonly deadline?: timestampPb.Timestamp;
  readonly ids?: readonly shared.UUID[];
  readonly final?: boolean;
}
const partOf = ({ correlation, stream, deadline, ids = [uuid(randomUUID())], final = true }: Part) => {
  const part = new BatchAppendReq();
  part.setCorrelationId(uuid(correlation));
  if (stream !== undefined) {
    const options = new BatchAppendReq.Options();
    options.setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from(stream)));
    options.setAny(new emptyPb.Empty());
    if (deadline) options.setDeadline(deadline);
    part.setOptions(options);
  }
  for (const id of ids) {
    const message = new BatchAppendReq.ProposedMessage();
    message.setId(id);
    message.getMetadataMap().set('type', 'happened').set('content-type', 'application/json');
    message.setData(Buffer.from('{}'));
    part.addProposedMessages(message);
  }
  part.setIsFinal(final);
  return part;
};

/** What the vendor's client never does by itself, or can't survive: checked on the bare service. */
export const describeWire = (server: () => Server, client: () => EventStoreDBClient, { own }: Expectations): void =>
  describe('the batch append stream', () => {
    let raw: ReturnType<typeof rawClientOf>;
    let batch: Batch;
    let replies: streams.BatchAppendResp[];
    beforeEach(() => {
      raw = rawClientOf(server());
      batch = raw.client.batchAppend(raw.metadata);
      replies = [];
      batch.on('data', (reply: streams.BatchAppendResp) => replies.push(reply));
      batch.on('error', () => {});
    });
    afterEach(() => {
      batch.cancel();
      raw.client.close();
    });
    const replyTo = async (correlation: string): Promise<streams.BatchAppendResp> => {
      for (;;) {
        const reply = replies.find((each) => each.getCorrelationId()?.getString() === correlation);
        if (reply) return reply;
        await once(batch, 'data');
      }
    };
    const detailOf = (reply: streams.BatchAppendResp) => reply.getError()?.getDetails()?.getTypeUrl().split('.').at(-1);
    const send = (part: Part) => void batch.write(partOf(part));
    /** After this, everything that was sent before it has been answered, if it ever is. */
    const barrier = async () => {
      const correlation = randomUUID();
      send({ correlation, stream: newStream() });
      await replyTo(correlation);
    };

    it('tells appends apart whose parts come in turn, and answers each once', async () => {
      const all = Array.from({ length: 5 }, () => ({ correlation: randomUUID(), stream: newStream() }));
      for (const { correlation, stream } of all) send({ correlation, stream, final: false });
      for (const { correlation } of all) send({ correlation, final: false });
      for (const { correlation } of all.toReversed()) send({ correlation, final: true });
      for (const { correlation } of all)
        expect((await replyTo(correlation)).getSuccess()?.getCurrentRevision()).toBe('2');
      await barrier();
      expect(replies).toHaveLength(6);
    });

    it('takes first parts without events', async () => {
      const [correlation, stream] = [randomUUID(), newStream()];
      send({ correlation, stream, ids: [], final: false });
      send({ correlation, ids: [uuid(randomUUID())] });
      expect((await replyTo(correlation)).getSuccess()?.getCurrentRevision()).toBe('0');
    });

    it('echoes the stream with every error', async () => {
      const [correlation, stream] = [randomUUID(), newStream()];
      send({ correlation, stream, deadline: deadlineIn(-1_000) });
      const name = (await replyTo(correlation)).getStreamIdentifier()?.getStreamName_asU8();
      expect(Buffer.from(name ?? []).toString()).toBe(stream);
    });

    it.each([
      ['has passed', -1],
      ['passed long ago', -86_400_000],
    ])('does not write when the deadline %s', async (_, milliseconds) => {
      const [correlation, stream] = [randomUUID(), newStream()];
      send({ correlation, stream, deadline: deadlineIn(milliseconds) });
      expect(detailOf(await replyTo(correlation))).toBe('Timeout');
      await expect(take(client().readStream(stream))).rejects.toThrow();
    });

    it('writes within the deadline', async () => {
      const [correlation, stream] = [randomUUID(), newStream()];
      send({ correlation, stream, deadline: deadlineIn(60_000) });
      expect((await replyTo(correlation)).hasSuccess()).toBe(true);
    });

    it('answers when the last part does not come in time, and ignores it when it comes after all', async () => {
      const [correlation, stream] = [randomUUID(), newStream()];
      send({ correlation, stream, deadline: deadlineIn(100), final: false });
      expect(detailOf(await replyTo(correlation))).toBe('Timeout');
      send({ correlation, final: true });
      await barrier();
      expect(replies.filter((each) => each.getCorrelationId()?.getString() === correlation)).toHaveLength(1);
      await expect(take(client().readStream(stream))).rejects.toThrow();
    });

    it('answers within two seconds however late the deadline is', async () => {
      const correlation = randomUUID();
      send({ correlation, stream: newStream(), deadline: deadlineIn(86_400_000), final: false });
      expect(detailOf(await replyTo(correlation))).toBe('Timeout');
    });

    (own ? it : it.skip)('takes the deadline as a time that is left, as newer clients send it', async () => {
      // Field 9 of the options, a Duration, is not in the definitions of 6.2.1: written by hand behind the others.
      const withDuration = (part: streams.BatchAppendReq, seconds: number): streams.BatchAppendReq => {
        const options = Buffer.from(part.getOptions()!.serializeBinary());
        const duration = [0x08, ...varint(BigInt.asUintN(64, BigInt(seconds)))];
        const extended = Buffer.concat([options, Buffer.from([0x4a, duration.length, ...duration])]);
        const rest = part.clone() as streams.BatchAppendReq;
        rest.clearOptions();
        const bytes = Buffer.concat([
          rest.serializeBinary(),
          Buffer.from([0x12, ...varint(BigInt(extended.length))]),
          extended,
        ]);
        part.serializeBinary = () => bytes;
        return part;
      };
      const [late, early, stream] = [randomUUID(), randomUUID(), newStream()];
      batch.write(withDuration(partOf({ correlation: late, stream }), -5));
      batch.write(withDuration(partOf({ correlation: early, stream: newStream() }), 5));
      expect(detailOf(await replyTo(late))).toBe('Timeout');
      expect((await replyTo(early)).hasSuccess()).toBe(true);
      await expect(take(client().readStream(stream))).rejects.toThrow();
    });

    it('takes event ids as two numbers, and gives them back as text', async () => {
      const [correlation, stream, id] = [randomUUID(), newStream(), randomUUID()];
      const hex = id.replaceAll('-', '');
      const half = (text: string) => BigInt.asIntN(64, BigInt(`0x${text}`)).toString();
      const structured = new shared.UUID.Structured();
      structured.setMostSignificantBits(half(hex.slice(0, 16)));
      structured.setLeastSignificantBits(half(hex.slice(16)));
      send({ correlation, stream, ids: [new shared.UUID().setStructured(structured)] });
      await replyTo(correlation);
      expect((await take(client().readStream(stream)))[0]?.event?.id).toBe(id);
    });

    it.each([
      ['no event id', new shared.UUID()],
      ['an empty event id', uuid('00000000-0000-0000-0000-000000000000')],
    ])('refuses %s and goes on', async (_, id) => {
      const correlation = randomUUID();
      send({ correlation, stream: newStream(), ids: [id] });
      expect((await replyTo(correlation)).hasError()).toBe(true);
      await barrier();
    });

    it('refuses an event without a type and goes on', async () => {
      const correlation = randomUUID();
      const part = partOf({ correlation, stream: newStream() });
      part.getProposedMessagesList()[0]!.getMetadataMap().del('type');
      batch.write(part);
      expect(detailOf(await replyTo(correlation))).toBe('BadRequest');
      await barrier();
    });

    it('ignores parts of an append that it never heard of', async () => {
      send({ correlation: randomUUID() });
      await barrier();
      expect(replies).toHaveLength(1);
    });

    it('answers what is under way when the client has no more to say, then ends', async () => {
      const all = Array.from({ length: 10 }, () => ({ correlation: randomUUID(), stream: newStream() }));
      for (const part of all) send(part);
      batch.end();
      await once(batch, 'end');
      expect(replies.filter((reply) => reply.hasSuccess())).toHaveLength(10);
    });
  });

const varint = (value: bigint): number[] => {
  const bytes: number[] = [];
  for (; value >= 0x80n; value >>= 7n) bytes.push(Number(value & 0x7fn) | 0x80);
  return [...bytes, Number(value)];
};
