/**
 * Names what was recorded before an event because it would not have gone into it: `list` and how many parts it has. With no
 * parts the event holds everything itself.
 */
export interface Parts {
  readonly list: string | null;
  readonly parts: number;
}
export const NO_PARTS: Parts = { list: null, parts: 0 };

/** What of a list the event itself holds. */
export const beside = <T>({ parts }: Parts, all: readonly T[]): readonly T[] => (parts === 0 ? all : []);

/** A store takes 1 MiB in one append; sealed and in base64 a part of this many bytes is a third larger. */
export const PART_BYTES = 256 * 1024;

/** Cuts a list into parts that go into an event each, by what they take as JSON. */
export const cut = <T>(all: readonly T[], partBytes = PART_BYTES): readonly (readonly T[])[] => {
  const parts: T[][] = [[]];
  let bytes = 0;
  for (const one of all) {
    const more = Buffer.byteLength(JSON.stringify(one)) + 1;
    if (bytes + more > partBytes && bytes > 0) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)!.push(one);
    bytes += more;
  }
  return parts;
};

/** Parts that were met so far, by their list. */
export type Met<T> = ReadonlyMap<string, readonly T[]>;

/**
 * With one more part. Those of a list come in order: whoever recorded it waited for each.
 */
export const meet = <T>(met: Met<T>, list: string, content: T): Met<T> =>
  new Map(met).set(list, [...(met.get(list) ?? []), content]);

/** All parts that an event names. Throws when one is not there: what is not whole must not pass for it. */
export const whole = <T>(met: Met<T>, { list, parts }: Parts): readonly T[] => {
  const found = list === null ? [] : (met.get(list) ?? []);
  if (found.length !== parts)
    throw new Error(`of ${parts} parts that an erasure is recorded in, ${found.length} stand in the log`);
  return found;
};
