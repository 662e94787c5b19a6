import { isMakulerError } from '#kernel';
import type { RecordedEvent } from '#ledger';
import { DatabaseError, isSerializationFailure } from '#postgres';

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

const OUTAGES = new Set<string>(['vault-unavailable', 'store-unavailable', 'database-unavailable']);
/** Something that we need is away. Nobody's event is at fault: wait, write nothing, go on when it is back. */
export const isOutage = (error: unknown): boolean =>
  (isMakulerError(error) && OUTAGES.has(error.code)) || isSerializationFailure(error);

/**
 * The log or the vault gives something that must not be: a key it has never heard of, a block that does not open. Never
 * read as erased, never skipped: everything that reads the log stops and says so, and goes on once it is mended.
 */
export const isUnreadableLog = (error: unknown): boolean =>
  isMakulerError(error, 'scope-unknown') || isMakulerError(error, 'block-tampered');

/** A code for tables and logs. Messages stay out: a handler's may quote what it was handling. */
export const codeOf = (error: unknown): string => {
  if (isMakulerError(error)) return error.code;
  if (error instanceof DatabaseError) return `sqlstate-${error.code.toLowerCase()}`;
  return 'internal';
};

/** Where an error came from, without what it says: the frames of its stack only. */
export const framesOf = (error: unknown): readonly string[] =>
  error instanceof Error
    ? (error.stack ?? '')
        .split('\n')
        .flatMap((line) => (/^\s+at .*:\d+:\d+\)?$/.test(line) ? [line.trim()] : []))
        .slice(0, 12)
    : [];
