import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Registered ports (RFC 6335) below those from which systems take one for each connection that they make (Linux: from 32768 on): one of
 * those may be gone again between the look and the listening.
 */
const [FROM, TO] = [20_000, 32_000];
const TRIES = 100;
/** Found free by this process. Whoever asked may not listen yet, so nobody else gets one of them. */
const given = new Set<number>();

/** Resolves to the port when it can be listened on; of 0, to one that the system chose. Rejects with the system's error. */
export const tryPort = (host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : port));
    });
  });

/**
 * A port that can be listened on: `last` if it is still free and none of `others`, otherwise one that nobody here was given before.
 * Rejects with the system's error.
 */
export const freePort = async (host: string, last = 0, others: readonly number[] = []): Promise<number> => {
  if (last !== 0 && !others.includes(last)) {
    const kept = await tryPort(host, last).catch(() => undefined);
    if (kept !== undefined) return kept;
  }
  for (let tries = 0; tries < TRIES; tries++) {
    const port = randomInt(FROM, TO);
    if (given.has(port)) continue;
    given.add(port);
    const found = await tryPort(host, port).catch(() => undefined);
    if (found !== undefined) return found;
  }
  return tryPort(host, 0);
};
