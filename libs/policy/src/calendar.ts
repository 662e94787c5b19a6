import type { Day } from '#kernel';

/** An ISO 8601 period of whole days: months (years are twelve of them) and days (weeks are seven). */
export interface Period {
  readonly months: number;
  readonly days: number;
}

const PERIOD = /^P(?=\d)(?:(\d{1,3})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?$/;

/** Reads `P5Y`, `P24M`, `P3Y6M`, `P30D`; `undefined` for anything else, times of day included. */
export const parsePeriod = (text: string): Period | undefined => {
  const match = PERIOD.exec(text);
  if (!match) return undefined;
  const [years = 0, months = 0, weeks = 0, days = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return { months: years * 12 + months, days: weeks * 7 + days };
};

/** For texts that the manifest's check has let through. Throws on any other. */
export const period = (text: string): Period => {
  const parsed = parsePeriod(text);
  if (!parsed) throw new Error('not an ISO 8601 period of years, months, weeks and days');
  return parsed;
};

const MS_PER_DAY = 86_400_000;
// Days are reckoned as dates without a time, so UTC serves as the calendar here: no hour is ever added, no zone ever asked.
const date = (year: number, month: number, day: number): Date => new Date(Date.UTC(year, month, day));
const text = (instant: Date): Day => instant.toISOString().slice(0, 10);
const partsOf = (day: Day): [number, number, number] => {
  const [year, month, dayOfMonth] = day.split('-').map(Number) as [number, number, number];
  return [year, month - 1, dayOfMonth];
};
const daysIn = (year: number, month: number): number => date(year, month + 1, 0).getUTCDate();

export const addDays = (day: Day, days: number): Day => text(new Date(Date.parse(day) + days * MS_PER_DAY));

/**
 * The same day so many months and then days later. Where the month is too short it is the month's last day
 * (31 January + 1 month = 28 February), as Regulation 1182/71 art. 3 counts. Never earlier for a later start.
 */
export const addPeriod = (day: Day, { months, days }: Period): Day => {
  const [year, month, dayOfMonth] = partsOf(day);
  const target = date(year, month + months, 1);
  const [toYear, toMonth] = [target.getUTCFullYear(), target.getUTCMonth()];
  return addDays(text(date(toYear, toMonth, Math.min(dayOfMonth, daysIn(toYear, toMonth)))), days);
};

/** The last day of the day's month. */
export const endOfMonth = (day: Day): Day => {
  const [year, month] = partsOf(day);
  return text(date(year, month, daysIn(year, month)));
};

/** The last day of the fiscal year in which the day lies. `fiscalYearEnd` is `MM-DD`; `02-29` means the last of February. */
export const endOfFiscalYear = (day: Day, fiscalYearEnd: string): Day => {
  const [year] = partsOf(day);
  const [month, dayOfMonth] = fiscalYearEnd.split('-').map(Number) as [number, number];
  const endIn = (y: number) => text(date(y, month - 1, Math.min(dayOfMonth, daysIn(y, month - 1))));
  return day <= endIn(year) ? endIn(year) : endIn(year + 1);
};

/** The later of two days (`YYYY-MM-DD` sorts as text). */
export const laterOf = (a: Day, b: Day): Day => (a < b ? b : a);
export const earlierOf = (a: Day, b: Day): Day => (a < b ? a : b);
