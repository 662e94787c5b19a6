import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';

const { ReadResp } = streams;
const bytes = (response: streams.ReadResp): Buffer => Buffer.from(response.serializeBinary());

export const encodeConfirmation = (subscriptionId: string): Buffer => {
  const confirmation = new ReadResp.SubscriptionConfirmation();
  confirmation.setSubscriptionId(subscriptionId);
  return bytes(new ReadResp().setConfirmation(confirmation));
};

export const encodeCheckpoint = (position: number): Buffer => {
  const checkpoint = new ReadResp.Checkpoint();
  checkpoint.setCommitPosition(String(position));
  checkpoint.setPreparePosition(String(position));
  return bytes(new ReadResp().setCheckpoint(checkpoint));
};

export const encodeCaughtUp = (): Buffer => bytes(new ReadResp().setCaughtUp(new ReadResp.CaughtUp()));

export const encodeStreamNotFound = (stream: string): Buffer => {
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(Buffer.from(stream));
  const notFound = new ReadResp.StreamNotFound();
  notFound.setStreamIdentifier(identifier);
  return bytes(new ReadResp().setStreamNotFound(notFound));
};
