import type { Clock } from '#kernel';
import { SystemClock } from '#kernel';

/** Which instant it is when the system starts (RFC 3339). Read here and nowhere else: no shipped program takes a clock. */
export const START_VARIABLE = 'MAKULER_TEST_CLOCK';
const OFFSET_VARIABLE = 'MAKULER_TEST_CLOCK_OFFSET_MS';

/** A wall clock that is moved and goes on from there; what is measured with the monotonic one is as it is. */
class MovedClock extends SystemClock {
  constructor(private readonly offsetMs: number) {
    super();
  }
  override now(): Date {
    return new Date(super.now().getTime() + this.offsetMs);
  }
}

/** What the supervisor hands to its children: an offset, so that one that is started again goes on with the others. */
export const childEnvironment = (): Record<string, string> => {
  const start = process.env[START_VARIABLE];
  return start === undefined ? {} : { [OFFSET_VARIABLE]: String(Date.parse(start) - Date.now()) };
};

/** The clock of a child. */
export const testClock = (): Clock => new MovedClock(Number(process.env[OFFSET_VARIABLE] ?? 0));
