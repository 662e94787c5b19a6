import type { InputProblem } from '#kernel';
import type { IdsAndCodes } from './answers.js';

/** What a command stored all the same but found odd (a place that does not fit its postal code): codes and paths, no value. */
export const withWarnings = (warnings: readonly InputProblem[]): { readonly [name: string]: IdsAndCodes } =>
  warnings.length === 0 ? {} : { warnings: warnings.map(({ path, code, message }) => ({ path, code, message })) };
