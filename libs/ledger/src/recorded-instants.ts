import type { Clock } from '#kernel';

/**
 * Instants for `recordedAt`, in microseconds and strictly increasing within the process: two streams written in the same
 * millisecond would otherwise share a value, and an equal value in two streams of a person joins them after the shredding.
 */
export class RecordedInstants {
  /** Microseconds since the Unix epoch: exact in a number until the year 2255. */
  #last = 0;
  /** The text of the last millisecond without its end: a batch of events mostly lies in one. */
  #text = '';
  #textOfMs = -1;
  constructor(private readonly clock: Clock) {}

  /** RFC 3339 in UTC with six decimals. */
  next(): string {
    const now = this.clock.now().getTime() * 1_000;
    // A clock set back by more than a second is followed: stamping the future would be worse than repeating.
    const ahead = this.#last - now;
    this.#last = ahead >= 0 && ahead < 1_000_000 ? this.#last + 1 : now;
    const ms = Math.floor(this.#last / 1_000);
    if (ms !== this.#textOfMs) {
      this.#text = new Date(ms).toISOString().slice(0, -1);
      this.#textOfMs = ms;
    }
    return `${this.#text}${String(this.#last % 1_000).padStart(3, '0')}Z`;
  }
}
