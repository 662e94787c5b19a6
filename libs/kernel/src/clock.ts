/** Where time comes from. Shipped programs use SystemClock; only mains under test/ compose another. */
export abstract class Clock {
  /** The wall clock, UTC. */
  abstract now(): Date;
  /** Milliseconds that only grow, also while the process is stopped (SIGSTOP). Leases are measured on it. */
  abstract monotonicMs(): number;
}

export class SystemClock extends Clock {
  now(): Date {
    return new Date();
  }
  monotonicMs(): number {
    // hrtime is CLOCK_MONOTONIC: it goes on while the process is stopped, which is what makes an expired lease visible.
    return Number(process.hrtime.bigint() / 1_000_000n);
  }
}

const OSLO_DAY = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Oslo', dateStyle: 'short' });
/** A calendar day `YYYY-MM-DD` in Europe/Oslo. */
export type Day = string;
export const osloDay = (instant: Date): Day => OSLO_DAY.format(instant);
