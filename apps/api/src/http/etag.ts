import type { ExecutionContext } from '@nestjs/common';
import { createParamDecorator } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { MakulerError } from '#kernel';

/** The entity tag of a stream's revision: strong, and the same in every process (RFC 9110, section 8.8.3). */
export const etagOf = (revision: bigint): string => `"${revision}"`;

/** The revision that a change was based on. Throws `precondition-required`, `invalid-input`. */
export const revisionOf = (ifMatch: string | undefined): bigint => {
  if (ifMatch === undefined) throw new MakulerError('precondition-required');
  const revision = /^"(\d{1,19})"$/.exec(ifMatch)?.[1];
  if (revision === undefined)
    throw new MakulerError('invalid-input', {
      errors: [{ path: 'If-Match', code: 'etag', message: 'give the ETag of the last read, with its quotation marks' }],
    });
  return BigInt(revision);
};

/** `@IfMatch() revision: bigint`: the revision that the caller read; the decision compares it with the stream's. */
export const IfMatch = createParamDecorator((_: unknown, context: ExecutionContext) =>
  revisionOf(context.switchToHttp().getRequest<FastifyRequest>().headers['if-match']),
);
