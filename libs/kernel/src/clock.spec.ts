import { osloDay } from './clock.js';

describe('the day in Oslo', () => {
  it.each([
    ['2026-01-31T22:59:59.999Z', '2026-01-31'],
    ['2026-01-31T23:00:00.000Z', '2026-02-01'],
    ['2026-07-31T21:59:59.999Z', '2026-07-31'],
    ['2026-07-31T22:00:00.000Z', '2026-08-01'],
    ['2026-03-28T22:59:59.999Z', '2026-03-28'],
    ['2026-03-28T23:00:00.000Z', '2026-03-29'],
    ['2026-10-24T21:59:59.999Z', '2026-10-24'],
    ['2026-10-24T22:00:00.000Z', '2026-10-25'],
    ['1969-12-31T22:59:59.999Z', '1969-12-31'],
  ])('of %s is %s', (instant, day) => {
    // Asked for twice, and right after the instant before: what is remembered must not outlive its hour.
    expect([osloDay(new Date(instant)), osloDay(new Date(instant))]).toEqual([day, day]);
  });

  it('is not that of an instant that is none', () => {
    osloDay(new Date(0));
    expect(() => osloDay(new Date(NaN))).toThrow(RangeError);
  });
});
