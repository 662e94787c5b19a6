import { setImmediate as soon } from 'node:timers/promises';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { currentCorrelation, currentTraceparent } from '#kernel';
import { startTracing } from '#observability';
import { TraceCollector } from '#testing';
import { followRequests } from './followed-requests.js';

const ID = '0198c6a2-7d1c-7bb2-9d53-1f0e8f7a6c51';

describe('a request that is followed', () => {
  let fastify: FastifyInstance;
  let address: string;
  let collector: TraceCollector;

  beforeAll(async () => {
    collector = await TraceCollector.start();
    fastify = new FastifyAdapter().getInstance() as unknown as FastifyInstance;
    followRequests(fastify);
    fastify.post('/v1/customers/:id/notes', async (request) => {
      await soon();
      return { id: request.id, ...currentCorrelation(), traced: currentTraceparent() };
    });
    address = await fastify.listen({ host: '127.0.0.1', port: 0 });
  });
  afterAll(async () => {
    await fastify.close();
    await collector.stop();
  });
  const post = (bytes: number) =>
    fetch(`${address}/v1/customers/${ID}/notes?q=${ID}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: 'x'.repeat(bytes) }),
    }).then((answer) => answer.json() as Promise<Record<string, string | undefined>>);

  it('is the one that its handler runs in, among many at once and after a body that came in pieces', async () => {
    const answers = await Promise.all([1, 500_000, 2, 300_000, 3, 900_000].map(post));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(answers.length);
    for (const { id, requestId, traced } of answers) expect([requestId, traced]).toEqual([id, undefined]);
  });

  it('is shown by its route and its own id, and neither by its address nor by whom it is about', async () => {
    const tracing = await startTracing({ program: 'api', url: `${collector.endpoint}/v1/traces` });
    const answers = await Promise.all([1, 400_000, 2].map(post));
    await fetch(`${address}/nowhere/${ID}`);
    await tracing.close();
    const spans = collector.spans;
    expect(spans.map(({ name }) => name).sort()).toEqual(['GET', ...answers.map(() => 'POST /v1/customers/:id/notes')]);
    for (const { id, traced } of answers) {
      const span = spans.find(({ attributes }) => attributes['makuler.request_id'] === id);
      expect(traced).toBe(`00-${span!.traceId}-${span!.spanId}-01`);
    }
    expect(collector.bodies.join('')).not.toContain(ID);
  });
});
