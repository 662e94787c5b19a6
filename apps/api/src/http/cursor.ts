import { isId, MakulerError } from '#kernel';

/** What a part of a cursor is: each is compared with a column of that type. */
type Kind = 'day' | 'instant' | 'position' | 'id' | 'hash';

const isDay = (text: string): boolean =>
  /^\d{4}-\d{2}-\d{2}$/.test(text) && new Date(`${text}T00:00:00Z`).toJSON()?.startsWith(text) === true;

const IS: Readonly<Record<Kind, (text: string) => boolean>> = {
  day: isDay,
  instant: (text) => isDay(text.slice(0, 10)) && new Date(text).toJSON() === text,
  position: (text) => /^\d{1,18}$/.test(text),
  id: isId,
  hash: (text) => /^[0-9a-f]{64}$/.test(text),
};

/**
 * Where the next page begins, as opaque text for an address line. It is not encrypted and ends in access logs: pass
 * positions, days, salted hashes and random ids, never a personal value to sort by.
 */
export const encodeCursor = (...parts: readonly string[]): string =>
  Buffer.from(JSON.stringify(parts)).toString('base64url');

/** The parts of a cursor, one for each kind; undefined without one. Throws `invalid-input` for what we did not make. */
export const decodeCursor = <const Kinds extends readonly Kind[]>(
  cursor: string | undefined,
  kinds: Kinds,
): { readonly [Index in keyof Kinds]: string } | undefined => {
  if (cursor === undefined) return undefined;
  const parts = parse(cursor);
  if (
    Array.isArray(parts) &&
    parts.length === kinds.length &&
    kinds.every((kind, index) => typeof parts[index] === 'string' && IS[kind](parts[index]))
  )
    return parts as unknown as { readonly [Index in keyof Kinds]: string };
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
