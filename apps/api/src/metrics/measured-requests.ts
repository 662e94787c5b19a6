import type { FastifyInstance } from 'fastify';
import type { Metrics } from '#observability';

const REFUSALS: Readonly<Record<number, string>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  429: 'rate-limited',
};

/** Measures every request by its route as declared: an address may hold an id, and a metric never does. */
export const measureRequests = (fastify: FastifyInstance, metrics: Metrics): void => {
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    const labels = { method: request.method, route, status: String(reply.statusCode) };
    metrics.observe('makuler_http_request_duration_seconds', reply.elapsedTime / 1_000, labels);
    const code = REFUSALS[reply.statusCode];
    if (code !== undefined) metrics.count('makuler_access_refused_total', 1, { code });
    done();
  });
};
