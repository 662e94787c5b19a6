import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MakulerError, beginSpan, currentTraceparent, inSpan, readConfiguration } from '#kernel';
import { TraceCollector } from '#testing';
import type { TracingOptions } from './tracing.js';
import { TRACING_SETTINGS, startTracing, tracingOf } from './tracing.js';

const MARK = 'Kari Marknes';
const nothing = async () => undefined;
/** Without what only waits to be collected. */
const heapInUse = (): number => {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
};

/** Traces `work` to a collector, and gives what came in. */
const tracedTo = async (
  collector: TraceCollector,
  work: () => Promise<unknown>,
  options: Partial<TracingOptions> = {},
) => {
  const tracing = await startTracing({ program: 'spec', url: `${collector.endpoint}/v1/traces`, ...options });
  await work();
  await tracing.close();
  return collector.spans;
};

describe('traces', () => {
  let collector: TraceCollector;
  beforeEach(async () => (collector = await TraceCollector.start()));
  afterEach(() => collector.stop());

  it('show work inside of work, and of a failure its code and nothing that it says', async () => {
    const spans = await tracedTo(collector, () =>
      inSpan({ name: 'GET /v1/customers/:id', kind: 'server', attributes: { 'makuler.request_id': 'r' } }, async () => {
        const fails = () => Promise.reject(new MakulerError('vault-unavailable', { detail: MARK }));
        await inSpan({ name: 'vault Open', kind: 'client' }, fails).catch(nothing);
        await inSpan({ name: 'strange', kind: 'internal' }, () => Promise.reject(new Error(MARK))).catch(nothing);
      }),
    );
    const [open, strange, request] = spans;
    expect(request).toMatchObject({ program: 'spec', attributes: { 'makuler.request_id': 'r' } });
    expect(request!.parentSpanId).toBeUndefined();
    expect(open).toMatchObject({ parentSpanId: request!.spanId, attributes: { 'error.type': 'vault-unavailable' } });
    expect(strange).toMatchObject({ traceId: request!.traceId, attributes: { 'error.type': 'internal' } });
    expect(collector.bodies.join('')).not.toContain('Kari');
    expect(collector.bodies.join('')).not.toContain('stack');
  });

  it('go on from a well-formed traceparent, and begin anew at any other', async () => {
    const [trace, span] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
    const parents = [
      `00-${trace}-${span}-01`,
      ...[`00-${trace}-${span}-01-more`, `01-${trace}-${span}-01`, `00-${'0'.repeat(32)}-${span}-01`],
      ...[`00-${trace}-${'0'.repeat(16)}-01`, `00-${trace.toUpperCase()}-${span}-01`, MARK, ''],
    ];
    const spans = await tracedTo(collector, async () => {
      for (const parent of parents) await inSpan({ name: 'request', kind: 'server', parent }, nothing);
    });
    expect(spans.map(({ traceId }) => traceId === trace)).toEqual(parents.map((_, index) => index === 0));
    expect(spans[0]!.parentSpanId).toBe(span);
  });

  it('hand on a traceparent that leads here, and none when nobody watches', async () => {
    expect(currentTraceparent()).toBeUndefined();
    let handed: string | undefined;
    const spans = await tracedTo(collector, () =>
      inSpan({ name: 'asking', kind: 'client' }, async () => void (handed = currentTraceparent())),
    );
    expect(handed).toBe(`00-${spans[0]!.traceId}-${spans[0]!.spanId}-01`);
    await inSpan({ name: 'after', kind: 'client' }, async () => void (handed = currentTraceparent()));
    expect(handed).toBeUndefined();
  });

  it('are as many as the sampler says, a caller that is not sampled included', async () => {
    const unsampled = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00';
    const ask = () => inSpan({ name: 'request', kind: 'server', parent: unsampled }, nothing);
    expect(await tracedTo(collector, ask)).toEqual([]);
    expect(await tracedTo(collector, ask, { sampler: 'always_off' })).toEqual([]);
    expect(await tracedTo(collector, ask, { sampler: 'traceidratio', ratio: 0 })).toEqual([]);
    expect(await tracedTo(collector, ask, { sampler: 'always_on' })).toHaveLength(1);
  });
});

describe('a collector that is away', () => {
  it('costs spans, and neither the work nor memory nor a clean stop', async () => {
    const collector = await TraceCollector.start();
    const url = `${collector.endpoint}/v1/traces`;
    await collector.stop();
    const noticed: string[] = [];
    const tracing = await startTracing({ program: 'spec', url, notice: (what) => noticed.push(what) });
    const before = heapInUse();
    for (let n = 0; n < 200_000; n++) beginSpan({ name: 'request', kind: 'server' }).end();
    // A finished span is about a kilobyte: what is kept is the queue and what is under way.
    expect(heapInUse() - before).toBeLessThan(50 * 1024 * 1024);
    expect(await inSpan({ name: 'request', kind: 'server' }, async () => 'done')).toBe('done');
    await tracing.close();
    expect(noticed).not.toContain('traces.arrive');
    expect(noticed.length).toBeLessThanOrEqual(1);
  });
});

describe('the configuration of traces', () => {
  const read = (env: Record<string, string>) => tracingOf('api', readConfiguration(env, TRACING_SETTINGS));

  it('is nothing without an endpoint, or when it is turned off', () => {
    const OTEL_EXPORTER_OTLP_ENDPOINT = 'http://collector:4318/';
    expect(read({})).toBeUndefined();
    expect(read({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SDK_DISABLED: 'true' })).toBeUndefined();
    expect(read({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_EXPORTER: 'none' })).toBeUndefined();
    expect(read({ OTEL_EXPORTER_OTLP_ENDPOINT })).toMatchObject({ url: 'http://collector:4318/v1/traces' });
    const OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = 'https://traces.example.com/in';
    expect(read({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT })).toMatchObject({
      url: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
    });
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
  ])('refuses %s=%s, and says what would be valid', (name, value) => {
    expect(() => read({ [name]: value })).toThrow(new RegExp(`${name} is not valid: give`));
  });
});
