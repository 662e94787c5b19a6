import type { Client } from '@grpc/grpc-js';
import { Metadata } from '@grpc/grpc-js';
import { currentTraceparent } from '#kernel';
import { correlate } from '../rpc/correlation.js';

type Unary = (
  request: unknown,
  metadata: Metadata,
  options: { deadline: number },
  done: (error: Error | null, reply: unknown) => void,
) => unknown;

/** What goes with a call: the trace that it is a part of, and the request or job that it is made for. */
export const callMetadata = (): Metadata => {
  const metadata = new Metadata();
  const traceparent = currentTraceparent();
  if (traceparent !== undefined) metadata.set('traceparent', traceparent);
  correlate(metadata);
  return metadata;
};

/** One unary call to one vault, answered within `withinMs`. Throws what gRPC throws. */
export const callOnce = <T>(client: Client, method: string, request: unknown, withinMs: number): Promise<T> => {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const unary = (client as unknown as Record<string, Unary>)[method]!;
  unary.call(client, request, callMetadata(), { deadline: Date.now() + withinMs }, (error, reply) =>
    error ? reject(error) : resolve(reply as T),
  );
  return promise;
};
