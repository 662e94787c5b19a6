import fc from 'fast-check';
import { dayOf, isDay, isInstant, parseDay, parseInstant } from './day.js';

describe('days and instants', () => {
  it.each(['2026-03-10', '2024-02-29', '1999-12-31'])('%s is a day', (text) => expect(isDay(text)).toBe(true));
  it.each([
    '2026-02-29',
    '2026-02-30',
    '2026-13-01',
    '2026-00-10',
    '2026-3-1',
    '10.03.2026',
    '2026-03-10T00:00:00Z',
    '1899-01-01',
    '',
  ])('%j is none', (text) => expect(isDay(text)).toBe(false));
  it.each(['2026-03-10T09:30:00Z', '2026-03-10T09:30:00.123+02:00', '2026-03-10T00:00:00-05:30'])(
    '%s is an instant',
    (text) => expect(isInstant(text)).toBe(true),
  );
  it.each([
    '2026-03-10T09:30:00',
    '2026-03-10 09:30:00Z',
    '2026-03-10T24:00:00Z',
    '2026-02-30T09:30:00Z',
    '2026-03-10T09:30Z',
    '2026-03-10',
  ])('%j is none: without an offset nobody knows when', (text) => expect(isInstant(text)).toBe(false));
  it('lie on the day that it is in Oslo', () => {
    expect(dayOf('2026-03-12T23:30:00Z')).toBe('2026-03-13');
    expect(dayOf('2026-07-01T21:59:59Z')).toBe('2026-07-01');
    expect(dayOf('2026-07-01T22:00:00Z')).toBe('2026-07-02');
    expect(dayOf('2026-03-10')).toBe('2026-03-10');
  });
  it('are the same day again, and the same instant in UTC', () =>
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1950-01-01'), max: new Date('2090-01-01'), noInvalidDate: true }),
        (date) => {
          const day = date.toISOString().slice(0, 10);
          expect(parseDay(day, 'd')).toMatchObject({ ok: true, value: day });
          expect(parseInstant(date.toISOString(), 'd')).toMatchObject({ ok: true, value: date.toISOString() });
        },
      ),
    ));
  it('say where and what is wrong', () => {
    expect(parseDay('10.3.2026', 'invoice.date')).toMatchObject({
      problems: [{ path: 'invoice.date', code: 'day-shape' }],
    });
    expect(parseInstant('i går', 'purchasedAt')).toMatchObject({
      problems: [{ path: 'purchasedAt', code: 'instant-shape' }],
    });
  });
});
