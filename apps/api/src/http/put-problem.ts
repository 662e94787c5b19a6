import type { FastifyReply, FastifyRequest } from 'fastify';
import type { MakulerError } from '#kernel';
import { HTTP_STATUS } from '../http-status.js';
import { PROBLEM_MEDIA_TYPE, problemOf, retryAfterOf } from './problem.js';

/** Headers that speak about a body that doesn't leave. */
const OF_ANOTHER_BODY = ['content-length', 'etag', 'location', 'vary', 'makuler-position', 'makuler-next-cursor'];

/** Sets status and headers for a problem in place of whatever was to be answered; returns the payload. */
export const putProblem = (error: MakulerError, request: FastifyRequest, reply: FastifyReply): string => {
  for (const name of OF_ANOTHER_BODY) void reply.removeHeader(name);
  const retryAfter = retryAfterOf(error);
  if (retryAfter !== undefined) void reply.header('retry-after', String(retryAfter));
  if (error.code === 'unauthenticated') void reply.header('www-authenticate', 'Bearer');
  void reply
    .code(HTTP_STATUS[error.code])
    .header('content-type', PROBLEM_MEDIA_TYPE)
    .header('cache-control', 'no-store');
  return JSON.stringify(problemOf(error, request.id));
};
