import type grpc from '@grpc/grpc-js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { AppendOptions, AppendPart } from './protocol/append-messages.js';
import { IncomingAppend, type Answer } from './protocol/incoming-append.js';
import { failureOf, failureOfError, invalidArgument } from './protocol/statuses.js';
import type { EventLog } from './store/event-log.js';

type Call = grpc.ServerReadableStream<AppendPart, streams.AppendResp>;

/** The handler of `Streams.Append`: the options, then an event in each message, then one answer. */
export const append =
  (log: EventLog, maxBytes: number): grpc.handleClientStreamingCall<AppendPart, streams.AppendResp> =>
  (call, callback) => {
    receive(call, log, maxBytes).then(
      (response) => callback(null, response),
      (error: unknown) => callback(failureOfError(error)),
    );
  };

const receive = async (call: Call, log: EventLog, maxBytes: number): Promise<streams.AppendResp> => {
  let incoming: IncomingAppend | undefined;
  for await (const part of call as AsyncIterable<AppendPart>) {
    if (part.options) {
      if (incoming) throw invalidArgument('The options came twice.');
      incoming = new IncomingAppend(part.options, remainingOf(call), maxBytes);
    }
    if (!incoming) throw invalidArgument('The options must come first.');
    incoming.add(part.proposals);
    if (incoming.refusal) return responseOf(incoming.options, incoming.refusal);
  }
  if (!incoming) throw invalidArgument('The call was empty.');
  return responseOf(incoming.options, await log.append(incoming.toAppend()));
};

const remainingOf = (call: Call): number => {
  const deadline = call.getDeadline();
  return (typeof deadline === 'number' ? deadline : deadline.getTime()) - Date.now();
};

const responseOf = ({ expected }: AppendOptions, answer: Answer): streams.AppendResp => {
  const response = new streams.AppendResp();
  if (answer.kind === 'committed') {
    const success = new streams.AppendResp.Success();
    if (answer.revision < 0) success.setNoStream(new shared.Empty());
    else success.setCurrentRevision(String(answer.revision));
    const position = new streams.AppendResp.Position();
    position.setCommitPosition(String(answer.position));
    position.setPreparePosition(String(answer.position));
    success.setPosition(position);
    response.setSuccess(success);
    return response;
  }
  if (answer.kind !== 'wrong-revision') throw failureOf(answer);
  const wrong = new streams.AppendResp.WrongExpectedVersion();
  if (answer.current < 0) wrong.setCurrentNoStream(new shared.Empty());
  else wrong.setCurrentRevision(String(answer.current));
  if (expected === 'any') wrong.setExpectedAny(new shared.Empty());
  else if (expected === 'no_stream') wrong.setExpectedNoStream(new shared.Empty());
  else if (expected === 'stream_exists') wrong.setExpectedStreamExists(new shared.Empty());
  else wrong.setExpectedRevision(String(expected));
  response.setWrongExpectedVersion(wrong);
  return response;
};
