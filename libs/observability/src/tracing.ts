import type { Setting } from '#kernel';
import { optionalText, traceWith } from '#kernel';

const httpUrl: Setting<string | undefined> = {
  parse: (text) => (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) ? text : undefined),
  valid: 'an address that begins with http:// or https://',
  optional: true,
};
const oneOf = <T extends string>(known: readonly T[]): Setting<T | undefined> => ({
  parse: (text) => known.find((one) => one === text),
  valid: known.join(' or '),
  optional: true,
});
const SAMPLERS = ['always_on', 'always_off', 'traceidratio'] as const;

/**
 * OpenTelemetry's own variables, as far as a program of ours must know them. The exporter itself reads those that say how it
 * talks to the collector: OTEL_EXPORTER_OTLP_HEADERS, …_TIMEOUT, …_COMPRESSION, …_CERTIFICATE, …_CLIENT_CERTIFICATE and …_CLIENT_KEY.
 */
export const TRACING_SETTINGS = {
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: httpUrl,
  OTEL_EXPORTER_OTLP_PROTOCOL: oneOf(['http/json']),
  OTEL_TRACES_EXPORTER: oneOf(['otlp', 'none']),
  OTEL_SDK_DISABLED: oneOf(['true', 'false']),
  OTEL_TRACES_SAMPLER: oneOf([...SAMPLERS, ...SAMPLERS.map((name) => `parentbased_${name}` as const)]),
  OTEL_TRACES_SAMPLER_ARG: {
    parse: (text: string) => (/^(0(\.\d+)?|1(\.0+)?)$/.test(text) ? Number(text) : undefined),
    valid: 'a share from 0 to 1',
    optional: true,
  } satisfies Setting<number> as Setting<number | undefined>,
  OTEL_SERVICE_NAME: optionalText('a name for these programs'),
} as const;

/** The values of TRACING_SETTINGS. */
export type TracingConfiguration = {
  readonly [K in keyof typeof TRACING_SETTINGS]: (typeof TRACING_SETTINGS)[K] extends Setting<infer T> ? T : never;
};

/** Where spans go, how many of them, and under whose name. */
export interface TracingOptions {
  /** The process: `api`, `vault`. */
  readonly program: string;
  /** The collector's address for traces, e.g. `http://localhost:4318/v1/traces`. */
  readonly url: string;
  readonly service?: string | undefined;
  readonly sampler?: TracingConfiguration['OTEL_TRACES_SAMPLER'];
  /** For the `traceidratio` samplers; 1 when it is not said. */
  readonly ratio?: number | undefined;
  /** Called when spans begin to be lost, and when they arrive again. */
  readonly notice?: (what: 'traces.lost' | 'traces.arrive') => void;
}

/** What a configuration says; `undefined` when spans go nowhere. */
export const tracingOf = (program: string, config: Partial<TracingConfiguration>): TracingOptions | undefined => {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: all, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces } = config;
  const url = traces ?? (all && `${all.replace(/\/+$/, '')}/v1/traces`);
  if (!url || config.OTEL_SDK_DISABLED === 'true' || config.OTEL_TRACES_EXPORTER === 'none') return undefined;
  const { OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: ratio, OTEL_SERVICE_NAME: service } = config;
  return { program, url, sampler, ratio, service };
};

/** Spans on their way out of a process. */
export interface Tracing {
  /** Sends what is left, for at most a second, and shows nothing more. Never throws. */
  close(): Promise<void>;
}

/** Shows the activities of this process to a collector. The libraries for it are loaded here and nowhere else: only who asks for traces pays. */
export const startTracing = async (options: TracingOptions): Promise<Tracing> => {
  const { OtlpTracer } = await import('./otlp-tracer.js');
  const tracer = new OtlpTracer(options);
  traceWith(tracer);
  return {
    close: async () => {
      traceWith(undefined);
      await tracer.close();
    },
  };
};
