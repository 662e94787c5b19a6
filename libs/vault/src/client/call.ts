import type { Client } from '@grpc/grpc-js';

type Unary = (
  request: unknown,
  options: { deadline: number },
  done: (error: Error | null, reply: unknown) => void,
) => unknown;

/** One unary call to one vault, answered within `withinMs`. Throws what gRPC throws. */
export const callOnce = <T>(client: Client, method: string, request: unknown, withinMs: number): Promise<T> => {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const unary = (client as unknown as Record<string, Unary>)[method]!;
  unary.call(client, request, { deadline: Date.now() + withinMs }, (error, reply) =>
    error ? reject(error) : resolve(reply as T),
  );
  return promise;
};
