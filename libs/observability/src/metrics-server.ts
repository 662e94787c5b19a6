import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Health } from './health.js';
import type { Metrics } from './metrics.js';

/** Answers to Prometheus and to whoever watches over containers, on a port of its own, for programs that speak no HTTP otherwise. */
export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** As a program's configuration says; `undefined` when it names no port. */
export const showMetrics = async (
  metrics: Metrics,
  { METRICS_PORT, METRICS_HOST }: { readonly METRICS_PORT: number | undefined; readonly METRICS_HOST: string },
  health?: Health,
): Promise<MetricsServer | undefined> =>
  METRICS_PORT === undefined ? undefined : serveMetrics(metrics, METRICS_PORT, METRICS_HOST, health);

/**
 * `/metrics`; `/health/live`, 200 while the process runs; `/health/ready`, 200 or 503 and what is missing. Listens on loopback
 * unless told otherwise: nobody is asked for a token here. Rejects when the port is taken.
 */
export const serveMetrics = async (
  metrics: Metrics,
  port: number,
  host = '127.0.0.1',
  health = new Health(),
): Promise<MetricsServer> => {
  const server = createServer((request, response) => {
    answer(request.url, metrics, health).then(
      ({ status, contentType, text }) => response.writeHead(status, { 'content-type': contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  server.listen(port, host);
  await once(server, 'listening');
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { port: (server.address() as AddressInfo).port, close };
};

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

const answer = async (url: string | undefined, metrics: Metrics, health: Health): Promise<Answer> => {
  switch (url ?? '') {
    case '/metrics':
      return { status: 200, ...(await metrics.exposition()) };
    case '/health/live':
      return json(200, { live: true });
    case '/health/ready': {
      const report = await health.report();
      return json(report.ready ? 200 : 503, report);
    }
    default:
      return json(404, {});
  }
};

const json = (status: number, body: object): Answer => ({
  status,
  contentType: 'application/json; charset=utf-8',
  text: JSON.stringify(body),
});
