import grpc from '@grpc/grpc-js';
import { isMakulerError } from '#kernel';
import type { Answer } from './incoming-append.js';

const { status: Code, Metadata } = grpc;

/**
 * A call's failure. The client reads the trailer `exception` first and then insists on those that belong to it: one that is missing
 * crashes its process, so they are sent together or not at all.
 */
export class CallFailure extends Error {
  readonly details: string;
  readonly metadata: grpc.Metadata;
  constructor(
    readonly code: grpc.status,
    details: string,
    trailers: Readonly<Record<string, string>> = {},
  ) {
    super(details);
    this.details = details;
    this.metadata = new Metadata();
    for (const [key, value] of Object.entries(trailers)) this.metadata.set(key, value);
  }
}

export const invalidArgument = (details: string): CallFailure => new CallFailure(Code.INVALID_ARGUMENT, details);
export const unimplemented = (details: string): CallFailure => new CallFailure(Code.UNIMPLEMENTED, details);
export const unavailable = (): CallFailure =>
  new CallFailure(Code.UNAVAILABLE, 'The database of the event node does not answer.');
export const shuttingDown = (): CallFailure => new CallFailure(Code.UNAVAILABLE, 'The event node is shutting down.');

/** How the unary path says no; a revision that does not hold is an answer there, not a failure. */
export const failureOf = (answer: Exclude<Answer, { kind: 'committed' | 'wrong-revision' }>): CallFailure => {
  switch (answer.kind) {
    case 'too-late':
      return new CallFailure(Code.DEADLINE_EXCEEDED, 'The append was not written in time.');
    case 'unavailable':
      return unavailable();
    case 'invalid':
      return invalidArgument(answer.message);
    case 'not-built':
      return unimplemented(answer.message);
    case 'access-denied':
      return new CallFailure(Code.PERMISSION_DENIED, 'Nobody writes to $all.', { exception: 'access-denied' });
    case 'missing-property':
      return new CallFailure(Code.INVALID_ARGUMENT, 'An event came without its type or content type.', {
        exception: 'missing-required-metadata-property',
        'required-metadata-properties': 'type,content-type',
      });
    case 'too-big':
      return new CallFailure(Code.INVALID_ARGUMENT, `The append is larger than ${answer.limit} bytes.`, {
        exception: 'maximum-append-size-exceeded',
        'maximum-append-size': String(answer.limit),
      });
  }
};

/** What a client is told about an error of ours: the sort, never the text. */
export const failureOfError = (error: unknown): CallFailure => {
  if (error instanceof CallFailure) return error;
  if (isMakulerError(error, 'database-unavailable')) return unavailable();
  return new CallFailure(Code.INTERNAL, 'The event node failed.');
};
