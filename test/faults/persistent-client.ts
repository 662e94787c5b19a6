import { randomUUID } from 'node:crypto';
import type { Front, Reply, RequestOptions } from '../journeys/installation.js';

/** One command, and what its sender knows of its fate. */
export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body: any;
  /** Acknowledged (with the answer), given up on purpose while its fate was open, or refused for good. */
  readonly fate: 'acknowledged' | 'abandoned' | 'refused';
  readonly reply: Reply | undefined;
  readonly attempts: number;
}

const AGAIN = new Set(['idempotency-in-progress', 'conflict']);

/**
 * Sends a command under one idempotency key until it is answered for good: a lost connection, a 503, and the two 409 that
 * ask for patience are sent again, or given up at the first such doubt. Throws on a 500, which no crash excuses.
 */
export const persist = async (
  makuler: Front,
  method: string,
  path: string,
  options: RequestOptions & { readonly body: unknown },
  givesUp = false,
): Promise<Sent> => {
  const key = randomUUID();
  const headers = { ...options.headers, 'idempotency-key': key };
  const sent = { method, path, body: options.body };
  for (let attempts = 1; ; attempts++) {
    const reply = await makuler
      .request(method, path, { ...options, key, headers, timeoutMs: 8_000 })
      .catch((error: Error) => {
        if (error.name === 'Undocumented') throw error;
        return undefined;
      });
    if (reply && reply.status < 300) return { ...sent, fate: 'acknowledged', reply, attempts };
    if (reply && reply.status !== 503 && !(reply.status === 409 && AGAIN.has(reply.body?.code))) {
      if (reply.status >= 500) throw new Error(`${method} ${path} was answered ${reply.status}: ${reply.text}`);
      return { ...sent, fate: 'refused', reply, attempts };
    }
    if (givesUp) return { ...sent, fate: 'abandoned', reply: undefined, attempts };
    await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 300));
  }
};
