import { Metrics } from './metrics.js';
import { serveMetrics } from './metrics-server.js';

describe('the numbers of a process', () => {
  it('are shown by name, program and labels', async () => {
    const metrics = new Metrics('worker');
    metrics.observe('makuler_append_duration_seconds', 0.02, { outcome: 'ok' });
    metrics.count('makuler_access_refused_total', 2, { code: 'forbidden' });
    const { text } = await metrics.exposition();
    expect(text).toContain('makuler_append_duration_seconds_bucket{le="0.025",program="worker",outcome="ok"} 1');
    expect(text).toContain('makuler_access_refused_total{code="forbidden",program="worker"} 2');
    expect(text).toContain('nodejs_eventloop_lag_seconds');
  });

  it('time what succeeds and what fails, and give back what came of it', async () => {
    const metrics = new Metrics('api');
    const outcome = (error: unknown) => ({ outcome: error === undefined ? 'ok' : 'failed' });
    expect(await metrics.timed('makuler_append_duration_seconds', async () => 7, outcome)).toBe(7);
    const failing = () => Promise.reject(new Error('no'));
    await expect(metrics.timed('makuler_append_duration_seconds', failing, outcome)).rejects.toThrow('no');
    const { text } = await metrics.exposition();
    for (const result of ['ok', 'failed'])
      expect(text).toContain(`makuler_append_duration_seconds_count{program="api",outcome="${result}"} 1`);
  });

  it('are asked for anew at each look, and left out when they can’t be told', async () => {
    const metrics = new Metrics('api');
    let epoch: number | undefined = 3;
    metrics.onScrape(['makuler_vault_epoch'], async () => {
      if (epoch === undefined) throw new Error('away');
      metrics.set('makuler_vault_epoch', epoch, {});
    });
    expect((await metrics.exposition()).text).toContain('makuler_vault_epoch{program="api"} 3');
    epoch = undefined;
    expect((await metrics.exposition()).text).not.toContain('makuler_vault_epoch{');
  });

  it('are served on a port of their own', async () => {
    const server = await serveMetrics(new Metrics('vault'), 0);
    const answer = await fetch(`http://127.0.0.1:${server.port}/metrics`);
    expect(answer.headers.get('content-type')).toContain('text/plain');
    expect(await answer.text()).toContain('process_resident_memory_bytes{program="vault"}');
    expect((await fetch(`http://127.0.0.1:${server.port}/`)).status).toBe(404);
    await server.close();
  });
});
