/** Below this many bytes a value stands by chance in ciphertext and in half of all files: a search for it would say nothing. */
const SHORTEST_BYTES = 6;

/** A value would be found everywhere. Says which one by its number. */
export class ValueTooShort extends Error {
  override readonly name = 'ValueTooShort';
  constructor(number: number) {
    super(`Value ${number} has fewer than ${SHORTEST_BYTES} bytes: by chance it stands everywhere.`);
  }
}

/**
 * The values to look for, as they were given on standard input: a JSON document (every string and number in it, at any
 * depth), or a value on each line. Each counts once, in order: a report names only the number. Throws
 * ValueTooShort: such a value is given together with what stands beside it, or not at all.
 */
export const readValues = (input: string): readonly string[] => {
  const given = (jsonOf(input) ?? input.split(/\r?\n/)).map((value) => value.trim()).filter((value) => value !== '');
  const values = [...new Set(given)];
  values.forEach((value, index) => {
    if (Buffer.byteLength(value) < SHORTEST_BYTES) throw new ValueTooShort(index + 1);
  });
  return values;
};

const jsonOf = (input: string): string[] | undefined => {
  if (!/^\s*[[{"]/.test(input)) return undefined;
  try {
    return textsIn(JSON.parse(input));
  } catch {
    // A line may begin with a bracket or a quotation mark too.
    return undefined;
  }
};

const textsIn = (value: unknown): string[] => {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
};
