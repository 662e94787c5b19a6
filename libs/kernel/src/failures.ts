import { isMakulerError } from './errors.js';

const OUTAGES = new Set<string>([
  'vault-unavailable',
  'store-unavailable',
  'database-unavailable',
  'queue-unavailable',
]);
/** Something that the program needs is away; nothing is wrong with what was asked. Wait, and do it again. */
export const isOutage = (error: unknown): boolean => isMakulerError(error) && OUTAGES.has(error.code);

/**
 * A code for tables, queues and logs: a MakulerError's own, `sqlstate-…`, or `internal`. Never a message: what an unexpected
 * error says may quote what was being handled.
 */
export const codeOf = (error: unknown): string => {
  if (isMakulerError(error)) return error.code;
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  return name === 'DatabaseError' && typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)
    ? `sqlstate-${code.toLowerCase()}`
    : 'internal';
};

/** Where an error came from, without what it says: at most twelve frames of its stack. */
export const framesOf = (error: unknown): readonly string[] => {
  const { stack } = (error ?? {}) as { stack?: unknown };
  const lines = typeof stack === 'string' ? stack.split('\n') : [];
  return lines
    .filter((line) => /^\s+at .*:\d+:\d+\)?$/.test(line))
    .map((line) => line.trim())
    .slice(0, 12);
};
