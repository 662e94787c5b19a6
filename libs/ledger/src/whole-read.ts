import type { ResolvedEvent, StreamingRead } from '@eventstore/db-client';
import { noAnswer } from './store-errors.js';

/** A server that has nothing of a read to give for so long is given up; its own limits are shorter. */
export const READ_SILENCE_MS = 30_000;

/**
 * All that a read gives. Always read to its end: `dispose()` of the client (6.2.1) waits for ever for a stream that the server has
 * ended and nobody has read. Rejects with the client's errors, and with `store-unavailable` after `silenceMs` without an event.
 */
export const wholeRead = async <E extends ResolvedEvent>(read: StreamingRead<E>, silenceMs: number): Promise<E[]> => {
  const found: E[] = [];
  const silence = setTimeout(() => {
    read.destroy(noAnswer());
    // The server is told too: destroying leaves the call itself open.
    read.cancel().catch(() => undefined);
  }, silenceMs);
  try {
    for await (const event of read) {
      found.push(event as unknown as E);
      silence.refresh();
    }
    return found;
  } finally {
    clearTimeout(silence);
  }
};
