import { HttpException } from '@nestjs/common';
import type { ErrorCode, InputProblem } from '#kernel';
import { ERRORS, MakulerError } from '#kernel';
import { DEFAULT_RETRY_AFTER_SECONDS, HTTP_STATUS } from '../http-status.js';

/** A problem document (RFC 9457). `type` is the address of the page that explains the code. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly requestId: string;
  readonly errors?: readonly InputProblem[];
  readonly [fact: string]: unknown;
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json; charset=utf-8';

/** The problem document of an expected refusal. Everything in it is ids, codes and our own sentences. */
export const problemOf = (error: MakulerError, requestId: string): Problem => ({
  // First, so that no fact can take the place of a standard member.
  ...error.facts,
  type: `/errors/${error.code}`,
  title: ERRORS[error.code].meaning,
  status: HTTP_STATUS[error.code],
  code: error.code,
  detail: error.message === ERRORS[error.code].meaning ? ERRORS[error.code].wayOut : error.message,
  requestId,
  ...(error.errors.length > 0 ? { errors: error.errors } : {}),
});

const STATUS_CODES: Readonly<Record<number, ErrorCode>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  413: 'payload-too-large',
  415: 'unsupported-media-type',
  429: 'rate-limited',
};

/**
 * Any error as one of ours. The message of a foreign error is dropped: a JSON parser quotes the body, a router the URL.
 * What is not a refusal by the framework is `internal`, with the foreign error as its cause for the log.
 */
export const translateHttpError = (error: unknown): MakulerError => {
  if (error instanceof MakulerError) return error;
  const status = error instanceof HttpException ? error.getStatus() : statusCodeOf(error);
  const code = STATUS_CODES[status];
  if (code) return new MakulerError(code, { cause: error });
  if (status >= 400 && status < 500)
    return new MakulerError('invalid-input', {
      detail: 'The request could not be read: see that the body is JSON and the address is well formed.',
      cause: error,
    });
  return new MakulerError('internal', { cause: error });
};

// Fastify's own errors (`FST_ERR_…`) say their status; anything else is ours to be ashamed of.
const statusCodeOf = (error: unknown): number => {
  const { statusCode, code } = (error ?? {}) as { statusCode?: unknown; code?: unknown };
  return typeof statusCode === 'number' && typeof code === 'string' && code.startsWith('FST_') ? statusCode : 500;
};

/** Seconds for `Retry-After`, or undefined where a repeat does not help. */
export const retryAfterOf = (error: MakulerError): number | undefined =>
  error.retryAfterSeconds ?? (HTTP_STATUS[error.code] === 503 ? DEFAULT_RETRY_AFTER_SECONDS : undefined);
