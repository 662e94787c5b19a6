import type { Client } from '@grpc/grpc-js';
import { Metadata } from '@grpc/grpc-js';
import { currentTraceparent } from '#kernel';

type Unary = (
  request: unknown,
  metadata: Metadata,
  options: { deadline: number },
  done: (error: Error | null, reply: unknown) => void,
) => unknown;

/** One unary call to one vault, answered within `withinMs`. Throws what gRPC throws. */
export const callOnce = <T>(client: Client, method: string, request: unknown, withinMs: number): Promise<T> => {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const unary = (client as unknown as Record<string, Unary>)[method]!;
  const metadata = new Metadata();
  const traceparent = currentTraceparent();
  if (traceparent !== undefined) metadata.set('traceparent', traceparent);
  unary.call(client, request, metadata, { deadline: Date.now() + withinMs }, (error, reply) =>
    error ? reject(error) : resolve(reply as T),
  );
  return promise;
};
