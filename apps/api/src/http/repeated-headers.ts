import type { FastifyInstance } from 'fastify';
import { MakulerError } from '#kernel';

/** Headers that decide something. Node takes the first of two for some and joins others: a proxy before us might take the other. */
const ONCE: ReadonlySet<string> = new Set([
  ...['host', 'authorization', 'content-type', 'accept', 'idempotency-key', 'if-match'],
  ...['makuler-purpose', 'makuler-after'],
]);

/** Refuses a request in which such a header stands twice, before anybody reads it. */
export const refuseRepeatedHeaders = (fastify: FastifyInstance): void => {
  fastify.addHook('onRequest', ({ raw }, _reply, done) => {
    const seen = new Set<string>();
    for (let at = 0; at < raw.rawHeaders.length; at += 2) {
      const name = raw.rawHeaders[at]!.toLowerCase();
      if (ONCE.has(name) && seen.has(name)) {
        const errors = [{ path: name, code: 'repeated', message: 'give this header once' }];
        return done(new MakulerError('invalid-input', { errors }) as never);
      }
      seen.add(name);
    }
    return done();
  });
};
