import type { InputProblem } from '#kernel';
import { MakulerError } from '#kernel';
import type { Parsed } from './parsed.js';

/** What a change gives: a field that is there without a value was not given (a DTO's instance has all of its fields), at any depth. */
export const givenFields = <T extends object>(input: T): T =>
  Object.fromEntries(
    Object.entries(input).flatMap(([name, value]: [string, unknown]) => {
      if (value === undefined) return [];
      return [
        [name, typeof value === 'object' && value !== null && !Array.isArray(value) ? givenFields(value) : value],
      ];
    }),
  ) as T;

/** Gathers the outcomes of reading one request, so that all problems are named at once. */
export class InputReading {
  readonly #problems: InputProblem[] = [];
  readonly warnings: InputProblem[] = [];

  constructor(problems: readonly InputProblem[] = []) {
    this.#problems.push(...problems);
  }

  /** The value that was read; `undefined` after a problem, which `done` will name. */
  take<T>(parsed: Parsed<T>): T | undefined {
    if (parsed.ok) this.warnings.push(...parsed.warnings);
    else this.#problems.push(...parsed.problems);
    return parsed.ok ? parsed.value : undefined;
  }

  /** Reads what may be left out: null for nothing, white space included. */
  optional(input: string | null | undefined, parse: (text: string) => Parsed<string>): string | null {
    return input === null || input === undefined || input.trim() === '' ? null : (this.take(parse(input)) ?? null);
  }

  /** Throws `invalid-input` with every problem met so far. After it, what was taken is there. */
  done(): void {
    // The policy and whoever reads the field may both miss it: one word about it is enough.
    const errors = this.#problems.filter(
      ({ path, code }, i, all) => all.findIndex((other) => other.path === path && other.code === code) === i,
    );
    if (errors.length > 0) throw new MakulerError('invalid-input', { errors });
  }
}
