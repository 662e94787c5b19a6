import type { Clock } from '#kernel';

/**
 * Instants for `recordedAt`, in microseconds and strictly increasing within the process: two streams written in the same
 * millisecond would otherwise share a value, and an equal value in two streams of a person joins them after the shredding.
 */
export class RecordedInstants {
  #last = 0n;
  constructor(private readonly clock: Clock) {}

  /** RFC 3339 in UTC with six decimals. */
  next(): string {
    const now = BigInt(this.clock.now().getTime()) * 1000n;
    // A clock set back by more than a second is followed: stamping the future would be worse than repeating.
    const ahead = this.#last - now;
    this.#last = ahead >= 0n && ahead < 1_000_000n ? this.#last + 1n : now;
    const text = new Date(Number(this.#last / 1000n)).toISOString();
    return `${text.slice(0, -1)}${String(this.#last % 1000n).padStart(3, '0')}Z`;
  }
}
