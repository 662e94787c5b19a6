import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { SpanContext } from '@opentelemetry/api';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, isSpanContextValid, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import type { Sampler, SpanExporter } from '@opentelemetry/sdk-trace';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Activity, Span } from '#kernel';
import { Tracer } from '#kernel';
import type { TracingOptions } from './tracing.js';

const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
} as const satisfies Record<Activity['kind'], SpanKind>;

/** Finished spans that wait for the collector at most; beyond them new ones are dropped: memory stays what it is. */
const QUEUE = 2_048;
const BATCH = 512;
/** An export that takes longer is given up, and its spans with it. */
const EXPORT_MS = 5_000;
const CLOSE_MS = 1_000;

/** Spans by OpenTelemetry's SDK to a collector over OTLP/HTTP. A collector that is away costs spans and nothing else. */
export class OtlpTracer extends Tracer {
  readonly #current = new AsyncLocalStorage<SpanContext>();
  readonly #provider: TracerProvider;
  readonly #tracer: ReturnType<TracerProvider['getTracer']>;

  constructor({ program, url, service = `makuler-${program}`, sampler, ratio = 1, notice }: TracingOptions) {
    super();
    const exporter = watched(new OTLPTraceExporter({ url, timeoutMillis: EXPORT_MS }), notice ?? (() => undefined));
    this.#provider = new TracerProvider({
      sampler: samplerOf(sampler ?? 'parentbased_always_on', ratio),
      // Of the machine and the process nothing is told but what OTEL_RESOURCE_ATTRIBUTES says.
      resource: detectResources({ detectors: [envDetector] }).merge(
        resourceFromAttributes({ 'service.name': service, 'makuler.program': program }),
      ),
      spanProcessors: [
        new BatchSpanProcessor({
          ...{ exporter, maxQueueSize: QUEUE, maxExportBatchSize: BATCH },
          ...{ scheduledDelayMillis: 1_000, exportTimeoutMillis: EXPORT_MS },
        }),
      ],
    });
    this.#tracer = this.#provider.getTracer('makuler');
  }

  begin({ name, kind, attributes = {}, parent }: Activity): Span {
    const above = (parent === undefined ? undefined : parsed(parent)) ?? this.#current.getStore();
    const context = above ? trace.setSpanContext(ROOT_CONTEXT, above) : ROOT_CONTEXT;
    const span = this.#tracer.startSpan(name, { kind: KINDS[kind], attributes: { ...attributes } }, context);
    return {
      run: (work) => this.#current.run(span.spanContext(), work),
      end: ({ failed, attributes: found } = {}) => {
        if (found) span.setAttributes({ ...found });
        // Never `recordException`: a message or a stack may quote what was being handled.
        if (failed !== undefined) span.setAttribute('error.type', failed).setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      },
    };
  }

  traceparent(): string | undefined {
    const current = this.#current.getStore();
    if (!current) return undefined;
    return `00-${current.traceId}-${current.spanId}-${(current.traceFlags & TraceFlags.SAMPLED) === 0 ? '00' : '01'}`;
  }

  /** Sends what is left, for at most a second. Never throws. */
  async close(): Promise<void> {
    const given = new AbortController();
    const late = delay(CLOSE_MS, undefined, { signal: given.signal, ref: true }).catch(() => undefined);
    await Promise.race([this.#provider.shutdown().catch(() => undefined), late]);
    given.abort();
  }
}

/** https://www.w3.org/TR/trace-context/#traceparent-header, version 00. What is longer, other or all zeroes is nobody's. */
const parsed = (traceparent: string): SpanContext | undefined => {
  const [, traceId, spanId, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined) return undefined;
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags!, 16) & TraceFlags.SAMPLED, isRemote: true };
  return isSpanContextValid(context) ? context : undefined;
};

const samplerOf = (name: NonNullable<TracingOptions['sampler']>, ratio: number): Sampler => {
  const plain = name.replace('parentbased_', '');
  const root =
    plain === 'always_on'
      ? new AlwaysOnSampler()
      : plain === 'always_off'
        ? new AlwaysOffSampler()
        : new TraceIdRatioBasedSampler(ratio);
  return name === plain ? root : new ParentBasedSampler({ root });
};

/** Says once when spans are lost, and once when they arrive again: not with every batch of an outage. */
const watched = (exporter: SpanExporter, notice: NonNullable<TracingOptions['notice']>): SpanExporter => {
  let lost = false;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (lost !== (result.code !== 0)) notice(lost ? 'traces.arrive' : 'traces.lost');
        lost = result.code !== 0;
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    ...(exporter.forceFlush && { forceFlush: () => exporter.forceFlush!() }),
  };
};
