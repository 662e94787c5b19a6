import fc from 'fast-check';
import { addDays, addPeriod, endOfFiscalYear, endOfMonth, parsePeriod, period } from './calendar.js';

const day = fc
  .date({ min: new Date('1990-01-01'), max: new Date('2080-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));
const anyPeriod = fc.record({ months: fc.nat(150), days: fc.nat(400) });

describe('the calendar', () => {
  it.each([
    ['P5Y', 60, 0],
    ['P24M', 24, 0],
    ['P3Y6M', 42, 0],
    ['P30D', 0, 30],
    ['P2W', 0, 14],
    ['P0D', 0, 0],
  ])('reads %s', (text, months, days) => expect(parsePeriod(text)).toEqual({ months, days }));
  it.each(['', 'P', '5Y', 'P5', 'PT5H', 'P1.5Y', 'P-1Y', 'P6M3Y', 'p5y', 'five years'])('does not read %j', (text) => {
    expect(parsePeriod(text)).toBeUndefined();
    expect(() => period(text)).toThrow('ISO 8601');
  });

  it.each([
    ['2026-01-31', 'P1M', '2026-02-28'],
    ['2028-01-31', 'P1M', '2028-02-29'],
    ['2024-02-29', 'P1Y', '2025-02-28'],
    ['2026-12-31', 'P3Y6M', '2030-06-30'],
    ['2026-03-28', 'P1D', '2026-03-29'],
    ['2026-10-24', 'P1D', '2026-10-25'],
    ['2026-12-31', 'P1D', '2027-01-01'],
  ])('%s and %s is %s', (from, text, to) => expect(addPeriod(from, period(text))).toBe(to));

  it('never counts a later start to an earlier end', () =>
    fc.assert(
      fc.property(day, fc.nat(1000), anyPeriod, (from, later, length) => {
        expect(addPeriod(addDays(from, later), length) >= addPeriod(from, length)).toBe(true);
      }),
    ));
  it('never counts a longer period to an earlier end', () =>
    fc.assert(
      fc.property(day, anyPeriod, anyPeriod, (from, a, b) => {
        const sum = { months: a.months + b.months, days: a.days + b.days };
        expect(addPeriod(from, sum) >= addPeriod(from, a)).toBe(true);
      }),
    ));
  it('stays in the month that it counts to', () =>
    fc.assert(
      fc.property(day, fc.nat(300), (from, months) => {
        const [year, month] = from.split('-').map(Number) as [number, number];
        const expected = year * 12 + month - 1 + months;
        const [toYear, toMonth] = addPeriod(from, { months, days: 0 }).split('-').map(Number) as [number, number];
        expect(toYear * 12 + toMonth - 1).toBe(expected);
      }),
    ));

  it('knows where months and fiscal years end', () => {
    expect([endOfMonth('2026-02-10'), endOfMonth('2028-02-29'), endOfMonth('2026-12-01')]).toEqual([
      '2026-02-28',
      '2028-02-29',
      '2026-12-31',
    ]);
    expect(endOfFiscalYear('2026-03-10', '12-31')).toBe('2026-12-31');
    expect(endOfFiscalYear('2026-12-31', '12-31')).toBe('2026-12-31');
    expect(endOfFiscalYear('2026-07-01', '06-30')).toBe('2027-06-30');
    expect(endOfFiscalYear('2026-06-30', '06-30')).toBe('2026-06-30');
    expect(endOfFiscalYear('2027-03-01', '02-29')).toBe('2028-02-29');
    expect(endOfFiscalYear('2026-03-01', '02-29')).toBe('2027-02-28');
  });
  it('puts each day at most a year before the end of its fiscal year', () =>
    fc.assert(
      fc.property(day, fc.constantFrom('12-31', '06-30', '01-31', '02-29'), (any, end) => {
        const last = endOfFiscalYear(any, end);
        expect(any <= last && last < addPeriod(any, period('P1Y1D'))).toBe(true);
      }),
    ));
});
