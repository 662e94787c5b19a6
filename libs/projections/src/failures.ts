import { isMakulerError, isOutage } from '#kernel';
import type { RecordedEvent } from '#ledger';
import { isSerializationFailure } from '#postgres';

/** A handler threw at an event. */
export class HandlerFailure extends Error {
  override readonly name = 'HandlerFailure';
  constructor(
    readonly event: RecordedEvent,
    override readonly cause: unknown,
  ) {
    super(`the handler of ${event.type} failed`);
  }
}

/** Nobody's event is at fault: wait, write nothing, and do the same again. */
export const isPassing = (error: unknown): boolean => isOutage(error) || isSerializationFailure(error);

/**
 * The log or the vault gives something that must not be: a key it has never heard of, a record of a key that does not
 * authenticate, a block that does not open. Never read as erased, never skipped: everything that reads the log stops and
 * says so, and goes on once it is mended.
 */
export const isUnreadableLog = (error: unknown): boolean =>
  isMakulerError(error, 'scope-unknown') ||
  isMakulerError(error, 'key-damaged') ||
  isMakulerError(error, 'block-tampered');
