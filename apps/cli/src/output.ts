import { ConfigurationError, ERRORS, isMakulerError } from '#kernel';
import { Refusal } from './refusal.js';

/** How a command speaks: to people, or as JSON for scripts (`--json`). */
export interface Output {
  readonly json: boolean;
  /** The result: `value` as JSON, or `lines` for people. On standard output. */
  result(value: unknown, lines: readonly string[]): void;
  /** Something on the way, or to be minded. On standard error, so that a result can be piped. */
  note(line: string): void;
}

export const outputOf = (json: boolean): Output => ({
  json,
  result: (value, lines) => {
    const text = json ? [JSON.stringify(value)] : lines;
    for (const line of text) process.stdout.write(`${line}\n`);
  },
  note: (line) => void process.stderr.write(`${line}\n`),
});

/** What the person at the terminal is told of a failure: the sentence and the way out. Unknown ones keep their stack. */
export const describeFailure = (error: unknown): string => {
  if (error instanceof Refusal) return `${error.message}\n  ${error.wayOut}`;
  if (error instanceof ConfigurationError) return error.message;
  if (isMakulerError(error)) return `${error.message}\n  ${ERRORS[error.code].wayOut} (${error.code})`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
};
