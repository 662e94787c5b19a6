/**
 * How a column of a row that is there takes in the value of another row with the same key: in the database, and for rows of
 * one batch before they are sent. Both must come out the same, and `a` then `b` then `c` the same as `a` then `b and c`.
 */
export interface Merge<V> {
  readonly sql: (there: string, given: string) => string;
  readonly inMemory: (there: V, given: V) => V;
}

/** The value that came last, also when it is null. */
export const replaced: Merge<any> = { sql: (_there, given) => given, inMemory: (_there, given) => given };

/** The value that came first; null is none. */
export const kept: Merge<any> = {
  sql: (there, given) => `coalesce(${there}, ${given})`,
  inMemory: (there, given) => there ?? given,
};

/** The later of two days; null is none. */
export const latest: Merge<any> = {
  sql: (there, given) => `greatest(${there}, ${given})`,
  inMemory: (there: string | null, given: string | null) =>
    there === null || (given !== null && given > there) ? given : there,
};

/** Their sum; neither is null. */
export const added: Merge<number> = {
  sql: (there, given) => `${there} + ${given}`,
  inMemory: (there, given) => there + given,
};

/** A JSON object with the members of both: the later ones count, but for `once`, which stays as it is or isn't there. */
export const joined = (once: string): Merge<any> => ({
  sql: (there, given) => `${there} || (${given} - '${once}')`,
  inMemory: (there: object, given: object) => {
    const { [once]: _, ...rest } = given as Record<string, unknown>;
    return { ...there, ...rest };
  },
});
