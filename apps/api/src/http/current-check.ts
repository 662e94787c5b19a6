import type { FastifyInstance } from 'fastify';
import { MakulerError } from '#kernel';
import type { ApiRequest } from '../access/caller.js';
import { translateHttpError } from './problem.js';
import { putProblem } from './put-problem.js';

/**
 * P1: the last thing before an answer leaves the process. If the vault can't vouch for what was opened (the lease has run
 * out, perhaps while the process was stopped, or one of the keys was shredded since), the finished answer is dropped and
 * 503 `vault-unavailable` goes out in its place. Register it as the last `onSend` hook; it is synchronous, so that nothing
 * comes between the check and the write.
 */
export const checkBeforeLeaving = (fastify: FastifyInstance): void => {
  fastify.addHook('onSend', (request: ApiRequest, reply, payload, done) => {
    const { assertCurrent } = request;
    if (!assertCurrent) return done(null, payload);
    try {
      assertCurrent();
    } catch (cause) {
      delete request.assertCurrent;
      return done(null, putProblem(asUnavailable(cause), request, reply));
    }
    return done(null, payload);
  });
};

/** Whatever goes wrong in the check, the answer stays here. */
const asUnavailable = (cause: unknown): MakulerError => {
  const error = translateHttpError(cause);
  return error.code === 'internal' ? new MakulerError('vault-unavailable', { cause }) : error;
};
