import type { Problem } from './generated/api.js';

/** Every code that the API may answer with; `/errors/{code}` says what it means and what to do. */
export type ErrorCode = Problem['code'];

/**
 * The API answered, and said no: a problem document (RFC 9457). Branch on `code`, never on the words. It repeats no value
 * that was sent, so it can be logged.
 */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  /** `unrecognized`: something between here and the API answered, or an API that is newer than this client. */
  readonly code: ErrorCode | 'unrecognized';
  readonly detail: string;
  /** Names this request in the logs of the API; undefined when something else answered. */
  readonly requestId: string | undefined;
  /** Of `invalid-input`: every field that was not right, all at once. */
  readonly errors: NonNullable<Problem['errors']>;
  /** Seconds after which the API wants to be asked again; undefined where it did not say, or asking again does not help. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly status: number,
    /** All of it, with the facts of the case: `allowed` of an `illegal-transition`, the new plan of a `plan-changed` … */
    readonly document: Readonly<Record<string, unknown>>,
    headers = new Headers(),
  ) {
    const { code = 'unrecognized', detail = `The API answered with status ${status}.` } = document as Partial<Problem>;
    super(`${detail} (${code})`);
    const { requestId, errors } = document as Partial<Problem>;
    this.code = code;
    this.detail = detail;
    this.requestId = requestId ?? headers.get('makuler-request-id') ?? undefined;
    this.errors = errors ?? [];
    this.retryAfterSeconds = secondsIn(headers.get('retry-after'));
  }
}

/** No answer came: nobody listens, the connection broke off, or it took too long. Whether the request was carried out is not known. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  constructor(
    readonly address: string,
    cause: unknown,
  ) {
    super(`Nobody answers at ${address}${reasonOf(cause)}.`, { cause });
  }
}

/** RFC 9110: seconds, or the instant from which on to ask again. */
const secondsIn = (retryAfter: string | null): number | undefined => {
  if (retryAfter === null) return undefined;
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.now()) / 1_000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
};

/** `fetch` hides what happened in the cause of its error. */
const reasonOf = (cause: unknown): string => {
  const { name, cause: inner } = cause as Error;
  const { code } = (inner ?? {}) as { code?: string };
  if (code !== undefined) return ` (${code})`;
  return name === 'TimeoutError' ? ' in time' : '';
};
