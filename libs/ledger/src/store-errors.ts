import { ErrorType, WrongExpectedVersionError } from '@eventstore/db-client';
import { MakulerError, isMakulerError } from '#kernel';
import { RevisionConflict } from './event-store.js';

const GRPC_UNAVAILABLE = 14;
const OUTAGES: ReadonlySet<unknown> = new Set([
  ErrorType.TIMEOUT,
  ErrorType.DEADLINE_EXCEEDED,
  ErrorType.UNAVAILABLE,
  ErrorType.CANCELLED,
  ErrorType.NOT_LEADER,
]);

/**
 * The one place where the event store's errors become ours. The client's messages can hold stream names only, never data;
 * still only the kind is passed on. The first call to a dead node rejects with a raw gRPC error (code 14), so both are looked at.
 */
export const translateStoreError = (error: unknown): Error => {
  if (isMakulerError(error)) return error;
  if (error instanceof WrongExpectedVersionError) return new RevisionConflict();
  const { type, code } = (error ?? {}) as { type?: unknown; code?: unknown };
  if (OUTAGES.has(type) || code === GRPC_UNAVAILABLE || code === 1 || code === 4 || foundNoNode(error))
    return new MakulerError('store-unavailable', { retryAfterSeconds: 1, cause: error });
  if (type === ErrorType.ACCESS_DENIED)
    return new MakulerError('store-unavailable', { detail: 'The event store refused our credentials.', cause: error });
  if (type === ErrorType.MAXIMUM_APPEND_SIZE_EXCEEDED)
    return new MakulerError('payload-too-large', {
      detail: 'The events are larger than the event store takes at once.',
    });
  return error instanceof Error ? error : new Error('the event store failed in an unknown way');
};

/** The event store has not answered in time. Of an append nobody knows what came of it, as with every `store-unavailable`. */
export const noAnswer = (): MakulerError =>
  new MakulerError('store-unavailable', { detail: 'The event store did not answer.', retryAfterSeconds: 1 });

export const isStreamMissing = (error: unknown): boolean =>
  (error as { type?: unknown } | null)?.type === ErrorType.STREAM_NOT_FOUND;

/** No node of a cluster could be asked, or none would do: an Error without type or code. Also when it is the cause of ours. */
export const foundNoNode = (error: unknown): boolean => {
  const { message } = ((isMakulerError(error) ? error.cause : error) ?? {}) as { message?: unknown };
  return typeof message === 'string' && message.startsWith('Failed to discover after ');
};
