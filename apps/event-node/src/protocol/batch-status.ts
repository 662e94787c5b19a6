import grpc from '@grpc/grpc-js';
import anyPb from 'google-protobuf/google/protobuf/any_pb.js';
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import statusPb from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { AppendOptions } from './append-messages.js';
import type { Answer } from './incoming-append.js';
import { failureOf } from './statuses.js';

const { status: Code } = grpc;

interface Detail {
  readonly name: string;
  readonly message: { serializeBinary(): Uint8Array };
  readonly code: grpc.status;
  readonly text: string;
}

/** The refused BatchAppendResp. The client goes by the name of the detail alone; codes and texts are for those who read along. */
export const encodeBatchError = (
  correlation: Buffer,
  options: AppendOptions,
  answer: Exclude<Answer, { kind: 'committed' }>,
): Buffer => {
  const detail = detailOf(options, answer);
  const any = new anyPb.Any();
  any.setTypeUrl(`type.googleapis.com/event_store.client.${detail.name}`);
  any.setValue(detail.message.serializeBinary());
  const error = new statusPb.Status();
  error.setCode(detail.code as number);
  error.setMessage(detail.text);
  error.setDetails(any);
  const response = new streams.BatchAppendResp();
  response.setCorrelationId(shared.UUID.deserializeBinary(correlation));
  response.setStreamIdentifier(shared.StreamIdentifier.deserializeBinary(options.identifier));
  response.setError(error);
  return Buffer.from(response.serializeBinary());
};

const detailOf = (options: AppendOptions, answer: Exclude<Answer, { kind: 'committed' }>): Detail => {
  switch (answer.kind) {
    case 'wrong-revision':
      return {
        name: 'WrongExpectedVersion',
        message: wrongExpectedVersion(options, answer.current),
        code: Code.ALREADY_EXISTS,
        text: 'The stream is not at the expected revision.',
      };
    // Not Unknown: whoever sees a deadline pass knows that the append may have been written, and asks again with the same ids.
    case 'too-late':
    case 'unavailable':
      return { name: 'Timeout', message: new shared.Timeout(), code: Code.DEADLINE_EXCEEDED, text: 'Timed out.' };
    case 'access-denied':
      return { name: 'AccessDenied', message: new shared.AccessDenied(), code: Code.PERMISSION_DENIED, text: 'No.' };
    case 'too-big': {
      const message = new shared.MaximumAppendSizeExceeded();
      message.setMaxappendsize(answer.limit);
      return { name: 'MaximumAppendSizeExceeded', message, code: Code.INVALID_ARGUMENT, text: 'Too big.' };
    }
    case 'invalid':
    case 'missing-property':
    case 'not-built': {
      const failure = failureOf(answer);
      const message = new shared.BadRequest();
      message.setMessage(failure.details);
      return { name: 'BadRequest', message, code: failure.code, text: failure.details };
    }
  }
};

const wrongExpectedVersion = ({ expected }: AppendOptions, current: number): shared.WrongExpectedVersion => {
  const message = new shared.WrongExpectedVersion();
  if (current < 0) message.setCurrentNoStream(new emptyPb.Empty());
  else message.setCurrentStreamRevision(String(current));
  if (expected === 'any') message.setExpectedAny(new emptyPb.Empty());
  else if (expected === 'no_stream') message.setExpectedNoStream(new emptyPb.Empty());
  else if (expected === 'stream_exists') message.setExpectedStreamExists(new emptyPb.Empty());
  else message.setExpectedStreamPosition(String(expected));
  return message;
};
