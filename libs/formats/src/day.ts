import type { Day } from '#kernel';
import { osloDay } from '#kernel';
import type { Parsed } from './parsed.js';
import { accepted, refused } from './parsed.js';

/** Whether a text is a day of the calendar, `YYYY-MM-DD`, of this century or the last. */
export const isDay = (text: string): boolean => {
  if (!/^(?:19|20)\d{2}-\d{2}-\d{2}$/.test(text)) return false;
  const instant = new Date(`${text}T00:00:00Z`);
  // 2026-02-30 would roll over into March.
  return !Number.isNaN(instant.getTime()) && instant.toISOString().startsWith(text);
};

/** A day in Europe/Oslo. */
export const parseDay = (input: string, path: string): Parsed<Day> =>
  isDay(input) ? accepted(input) : refused(path, 'day-shape', 'Give a day of the calendar as YYYY-MM-DD.');

const INSTANT =
  /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** Whether a text is an instant of RFC 3339 with its offset (`Z`, `+02:00`); no leap second. */
export const isInstant = (text: string): boolean => {
  const match = INSTANT.exec(text);
  return match !== null && isDay(match[1]!);
};

/** An instant; the value is the same instant in UTC, to the millisecond. */
export const parseInstant = (input: string, path: string): Parsed<string> =>
  isInstant(input)
    ? accepted(new Date(input).toISOString())
    : refused(
        path,
        'instant-shape',
        'Give an instant with its offset, as in 2026-03-10T09:30:00+01:00 or …Z (RFC 3339).',
      );

/** The day in Europe/Oslo on which an instant lies, or the day itself. The text must be `isDay` or `isInstant`. */
export const dayOf = (dayOrInstant: string): Day =>
  isDay(dayOrInstant) ? dayOrInstant : osloDay(new Date(dayOrInstant));
