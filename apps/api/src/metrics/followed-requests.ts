import { AsyncResource } from 'node:async_hooks';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Span } from '#kernel';
import { beginSpan, correlated } from '#kernel';

/** A request as it is followed through the program. */
interface Followed {
  readonly span: Span;
  readonly here: AsyncResource;
}

/**
 * Follows every request: each line logged on its way carries its id, and a trace begins here or goes on from the caller's
 * `traceparent`. The span has the route as declared and the status, never an address as sent. Comes before every other hook.
 */
export const followRequests = (fastify: FastifyInstance): void => {
  const followed = new WeakMap<FastifyRequest, Followed>();
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { method, headers, id } = request;
    const route = request.routeOptions.url;
    const { traceparent } = headers;
    const span = beginSpan({
      name: route === undefined ? method : `${method} ${route}`,
      kind: 'server',
      attributes: { 'http.request.method': method, ...(route && { 'http.route': route }), 'makuler.request_id': id },
      parent: typeof traceparent === 'string' ? traceparent : undefined,
    });
    correlated({ requestId: id }, () =>
      span.run(() => {
        followed.set(request, { span, here: new AsyncResource('request') });
        done();
      }),
    );
  });
  // The body came in by events of the socket, which know nothing of the request.
  fastify.addHook('preValidation', (request, _reply, done) => {
    const known = followed.get(request);
    if (known) known.here.runInAsyncScope(done);
    else done();
  });
  const end = (request: FastifyRequest, outcome: Parameters<Span['end']>[0]) => {
    followed.get(request)?.span.end(outcome);
    followed.delete(request);
  };
  fastify.addHook('onResponse', (request, { statusCode }, done) => {
    const attributes = { 'http.response.status_code': statusCode };
    end(request, { attributes, ...(statusCode >= 500 && { failed: String(statusCode) }) });
    done();
  });
  fastify.addHook('onRequestAbort', (request, done) => {
    end(request, { failed: 'aborted' });
    done();
  });
};
