import type { InputProblem } from '#kernel';

/**
 * The outcome of reading one input. Warnings don't stop it (a register may have changed), problems do. Neither ever
 * holds the value: they travel in answers and logs.
 */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T; readonly warnings: readonly InputProblem[] }
  | { readonly ok: false; readonly problems: readonly InputProblem[] };

export const accepted = <T>(value: T, ...warnings: InputProblem[]): Parsed<T> => ({ ok: true, value, warnings });
export const refused = (path: string, code: string, message: string): Parsed<never> => ({
  ok: false,
  problems: [{ path, code, message }],
});
