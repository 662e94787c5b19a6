import { types } from 'node:util';
import { MakulerError } from '#kernel';

/** Errors whose message was made by us under the rule that it names no value. Everybody else's message stays unlogged. */
const OUR_OWN = new Set(['MakulerError', 'DatabaseError', 'MigrationError', 'ConfigurationError']);
const DEPTH = 6;

/**
 * What may be logged of anything, decided by its type and never by the name of its field. Errors become type, code and
 * the places in their stack: a foreign error's message and members may quote what was sent or stored (a row in a
 * database error's `detail`, a request in a client's). Personal prints itself as `[personal]`.
 */
export const loggable = (value: unknown, depth = DEPTH): unknown => {
  if (isError(value)) return errorFacts(value, depth);
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return depth === 0 ? '[deep]' : value.map((item) => loggable(item, depth - 1));
  if (!isPlainObject(value)) return isOpaque(value) ? `[${value.constructor?.name ?? 'object'}]` : value;
  if (depth === 0) return '[deep]';
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, loggable(member, depth - 1)]));
};

export const isError = (value: unknown): value is Error => value instanceof Error || types.isNativeError(value);

const isPlainObject = (value: unknown): value is Record<string, unknown> => {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
};

/** Instances that don't say how they serialise (requests, sockets, buffers of keys): only the kind is logged. */
const isOpaque = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && (ArrayBuffer.isView(value) || !('toJSON' in value));

const errorFacts = (error: Error, depth: number): Record<string, unknown> => {
  const { code } = error as Error & { code?: unknown };
  const ours = error instanceof MakulerError || OUR_OWN.has(error.name);
  return {
    type: error.constructor?.name ?? error.name,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(ours ? { detail: error.message } : {}),
    ...(error instanceof MakulerError ? { facts: loggable(error.facts, depth - 1) } : {}),
    stack: placesIn(error),
    ...(error.cause !== undefined && depth > 0 ? { cause: loggable(error.cause, depth - 1) } : {}),
  };
};

/** The stack without its first lines, which repeat the message. A message with lines like places in code is cut off with them. */
const placesIn = (error: Error): string[] => {
  const stack = String(error.stack ?? '');
  const head = `${error.name}: ${error.message}`;
  const afterMessage = stack.startsWith(head) ? stack.slice(head.length) : stack;
  return afterMessage.includes(error.message) && error.message !== ''
    ? []
    : [...afterMessage.matchAll(/^\s+at (.+:\d+:\d+\)?)$/gm)].map(([, place]) => place!);
};
