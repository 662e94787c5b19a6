import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from './metrics.js';

/** An answer to Prometheus on a port of its own, for programs that speak no HTTP otherwise. */
export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** As a program's configuration says; `undefined` when it names no port. */
export const showMetrics = async (
  metrics: Metrics,
  { METRICS_PORT, METRICS_HOST }: { readonly METRICS_PORT: number | undefined; readonly METRICS_HOST: string },
): Promise<MetricsServer | undefined> =>
  METRICS_PORT === undefined ? undefined : serveMetrics(metrics, METRICS_PORT, METRICS_HOST);

/** Listens on loopback unless told otherwise: nobody is asked for a token here. Rejects when the port is taken. */
export const serveMetrics = async (metrics: Metrics, port: number, host = '127.0.0.1'): Promise<MetricsServer> => {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') return void response.writeHead(404).end();
    metrics.exposition().then(
      ({ contentType, text }) => response.writeHead(200, { 'content-type': contentType }).end(text),
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
