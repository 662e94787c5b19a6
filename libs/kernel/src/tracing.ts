import { codeOf } from './failures.js';

/**
 * What a span may say. A closed list, because spans live in other people's databases: names of types and routes, counts and
 * codes. An attribute for an id of somebody, a stream, a job's payload or an address as sent does not compile.
 */
export type SpanAttribute =
  | 'http.request.method'
  | 'http.route'
  | 'http.response.status_code'
  | 'rpc.system'
  | 'rpc.method'
  | 'error.type'
  | 'makuler.request_id'
  | 'makuler.events'
  | 'makuler.attempt';
export type SpanAttributes = Partial<Readonly<Record<SpanAttribute, string | number>>>;

/** A piece of work as it is shown to whoever watches: `RegisterCustomer`, `vault Mint`, `GET /v1/customers/:id`. */
export interface Activity {
  /** Made of names in the program: never of anything that was sent or stored. */
  readonly name: string;
  readonly kind: 'server' | 'client' | 'consumer' | 'internal';
  readonly attributes?: SpanAttributes;
  /** The W3C `traceparent` of whoever asked for it, as it came; what is malformed counts for nothing. */
  readonly parent?: string | undefined;
}

/** An activity under way. */
export interface Span {
  /** Runs `work` inside of it: activities that begin in there are its parts. */
  run<T>(work: () => T): T;
  /** Once. `failed`: the code of what went wrong, never a message. */
  end(outcome?: { readonly failed?: string; readonly attributes?: SpanAttributes }): void;
}

/** Where activities are shown. `libs/observability` has the one that sends them away; without one nothing is made or kept. */
export abstract class Tracer {
  abstract begin(activity: Activity): Span;
  /** The W3C `traceparent` of the activity under way, for the process that is asked next. */
  abstract traceparent(): string | undefined;
}

const UNSEEN: Span = { run: (work) => work(), end: () => undefined };
let tracer: Tracer | undefined;

/** Shows the activities of this process from now on, or (`undefined`) to nobody. One for a process, as there is one log. */
export const traceWith = (shown: Tracer | undefined): void => {
  tracer = shown;
};

/** Begins an activity whose end is somewhere else in the program; `inSpan` where it is not. */
export const beginSpan = (activity: Activity): Span => tracer?.begin(activity) ?? UNSEEN;

/** Runs `work` as an activity. */
export const inSpan = async <T>(activity: Activity, work: () => Promise<T>): Promise<T> => {
  if (!tracer) return work();
  const span = tracer.begin(activity);
  try {
    const result = await span.run(work);
    span.end();
    return result;
  } catch (error) {
    span.end({ failed: codeOf(error) });
    throw error;
  }
};

/** The `traceparent` of the activity under way; `undefined` when nobody watches. */
export const currentTraceparent = (): string | undefined => tracer?.traceparent();
