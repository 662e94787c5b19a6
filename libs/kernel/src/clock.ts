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

const HOUR_MS = 3_600_000;
let lastHour: { readonly hour: number; readonly day: Day } | undefined;

/** The day in Oslo; throws RangeError for an invalid date. Who reads a log asks for one instant again and again, and Intl is slow. */
export const osloDay = (instant: Date): Day => {
  const hour = Math.floor(instant.getTime() / HOUR_MS);
  // Oslo has been whole hours from UTC since 1895: within an hour its day does not change.
  if (lastHour?.hour === hour && hour > 0) return lastHour.day;
  const day = OSLO_DAY.format(instant);
  lastHour = { hour, day };
  return day;
};
