import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Span } from '#kernel';
import { beginSpan, correlated } from '#kernel';

/**
 * Follows every request: each line logged on its way carries its id, and a trace begins here or goes on from the caller's
 * `traceparent`. The span has the route as declared and the status, never an address as sent. Comes before every other hook.
 */
export const followRequests = (fastify: FastifyInstance): void => {
  const followed = new WeakMap<FastifyRequest, Span>();
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
    followed.set(request, span);
    correlated({ requestId: id }, () => span.run(done));
  });
  const end = (request: FastifyRequest, outcome: Parameters<Span['end']>[0]) => {
    followed.get(request)?.end(outcome);
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
