import { Clock } from '#kernel';

/** A clock that stands where a spec puts it. */
export class SetClock extends Clock {
  #monotonicMs = 0;
  constructor(private instant: Date) {
    super();
  }
  now(): Date {
    return this.instant;
  }
  monotonicMs(): number {
    return this.#monotonicMs;
  }
  /** Time passes: both clocks move. */
  pass(milliseconds: number): void {
    this.#monotonicMs += milliseconds;
    this.instant = new Date(this.instant.getTime() + milliseconds);
  }
  /** Somebody sets the wall clock; the monotonic one knows nothing of it. */
  set(instant: Date): void {
    this.instant = instant;
  }
}
