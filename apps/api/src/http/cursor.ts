import { MakulerError } from '#kernel';

type Part = string | number;

/**
 * Where the next page begins, as opaque text for an address line. It is not encrypted and ends in access logs: pass
 * positions, days and random ids, never a personal value to sort by.
 */
export const encodeCursor = (...parts: readonly Part[]): string =>
  Buffer.from(JSON.stringify(parts)).toString('base64url');

/** The parts of a cursor of `length` parts; undefined without one. Throws `invalid-input` for what we did not make. */
export const decodeCursor = (cursor: string | undefined, length: number): readonly Part[] | undefined => {
  if (cursor === undefined) return undefined;
  const parts = parse(cursor);
  if (Array.isArray(parts) && parts.length === length && parts.every((p) => ['string', 'number'].includes(typeof p)))
    return parts as Part[];
  throw new MakulerError('invalid-input', {
    errors: [{ path: 'cursor', code: 'cursor', message: 'give the nextCursor of an earlier answer, unchanged' }],
  });
};

const parse = (cursor: string): unknown => {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return undefined;
  }
};
