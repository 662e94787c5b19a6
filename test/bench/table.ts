import type { Row } from './bench.js';

/** A value as the table shows it: three digits that say something, thousands in groups. */
export const shownNumber = (value: number): string =>
  Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);

/** One line of the table: what, how much, its ratio to another line, and how it was in an earlier run. */
export const tableLine = (
  { bench, what, value, unit, against, ratio, scale }: Row,
  earlier: readonly Row[],
): string => {
  const before = earlier.find((row) => row.bench === bench && row.what === what && row.scale === scale);
  return [
    what.padEnd(58),
    `${shownNumber(value)} ${unit}`.padStart(16),
    ratio === undefined ? '' : `  ${ratio.toFixed(2)} × ${against}`,
    before ? `  (earlier: ${shownNumber(before.value)}, now ${(value / before.value).toFixed(2)} ×)` : '',
  ].join('');
};
