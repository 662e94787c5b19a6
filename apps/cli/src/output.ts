import { ApiProblem, NoAnswer } from '#client';
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
export const describeFailure = (error: unknown, json: boolean): string => {
  const { message, wayOut, code } = failureOf(error);
  if (json) return JSON.stringify({ error: { code, message, wayOut } });
  return wayOut === undefined ? message : `${message}\n  ${wayOut}`;
};

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly wayOut?: string;
}

const START = 'Start the system with `makuler up`, or say where it runs with --api.';

const failureOf = (error: unknown): Failure => {
  if (error instanceof Refusal) return { code: 'refused', message: error.message, wayOut: error.wayOut };
  if (error instanceof NoAnswer) return { code: 'refused', message: error.message, wayOut: START };
  if (error instanceof ApiProblem)
    return { code: error.code, message: [error.message, ...problemsIn(error)].join('\n  ') };
  if (error instanceof ConfigurationError) return { code: 'configuration', message: error.message };
  if (isMakulerError(error))
    return { code: error.code, message: `${error.message} (${error.code})`, wayOut: ERRORS[error.code].wayOut };
  if (isOfAFile(error)) return { code: 'refused', message: `${error.path}: ${REASONS[error.code]}.` };
  return { code: 'internal', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
};

/** What an operator may have mistyped; other failures of files keep their stack. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  EACCES: 'this user may not do that there',
  EPERM: 'this user may not do that there',
  EISDIR: 'it is a directory',
  ENOTDIR: 'it is no directory',
  EROFS: 'it lies on a file system that is read-only',
};

const isOfAFile = (error: unknown): error is Error & { readonly code: string; readonly path: string } =>
  error instanceof Error && 'path' in error && 'code' in error && REASONS[String(error.code)] !== undefined;

const problemsIn = ({ errors }: ApiProblem): string[] => errors.map(({ path, message }) => `${path}: ${message}`);
