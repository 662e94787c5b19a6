import { createHash } from 'node:crypto';
import type { StoredEvent } from '#ledger';

/** Of SHA-256, as characters: no two names of streams meet by chance, and a stream costs some fifty bytes. */
const KEY_CHARACTERS = 12;

/**
 * Whether the streams have their events in the order of the log. Revisions are the server's and are not linked, but whoever
 * reads a stream reads by them: swapped, a consent would stand after its withdrawal.
 */
export class StreamOrder {
  readonly #next = new Map<string, bigint>();

  /** To be asked of every event, in the order of the log. */
  has({ stream, revision }: Pick<StoredEvent, 'stream' | 'revision'>): boolean {
    const key = createHash('sha256').update(stream).digest('base64').slice(0, KEY_CHARACTERS);
    const isNext = revision === (this.#next.get(key) ?? 0n);
    this.#next.set(key, revision + 1n);
    return isNext;
  }
}
