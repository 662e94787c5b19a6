import { Big } from 'big.js';
import type { Parsed } from './parsed.js';
import { accepted, refused } from './parsed.js';

/** An amount as it travels: a decimal string with the currency's own digits, `{ "amount": "1234.50", "currency": "NOK" }`. */
export interface Money {
  readonly amount: string;
  readonly currency: string;
}

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));
const DECIMAL = /^-?(?:0|[1-9]\d{0,11})(?:\.\d{1,6})?$/;

/** A currency code of ISO 4217, in capitals. */
export const isCurrency = (text: string): boolean => CURRENCIES.has(text);

/** How many decimals the currency has: 2 for NOK, 0 for JPY. */
export const minorDigits = (currency: string): number =>
  new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;

/** A decimal string such as `12`, `-0.5` or `1234.50`: no exponent, no thousands, no comma; 12 digits and 6 decimals at most. */
export const isDecimal = (text: string): boolean => DECIMAL.test(text);

/** Reads a price or quantity and keeps it exactly as written. Numbers are not taken: 0.1 + 0.2 has no place in an invoice. */
export const parseDecimal = (
  input: string,
  path: string,
  { negative = false, zero = true }: { negative?: boolean; zero?: boolean } = {},
): Parsed<string> => {
  if (!isDecimal(input)) return refused(path, 'decimal-shape', 'Give a decimal string such as "1234.50".');
  const value = new Big(input);
  if (!negative && value.lt(0)) return refused(path, 'decimal-negative', 'Give a number that is not negative.');
  if (!zero && value.eq(0)) return refused(path, 'decimal-zero', 'Give a number other than zero.');
  return accepted(input);
};

/** Quantity × unit price, rounded half up to the currency's decimals. Both must be `isDecimal`. */
export const lineAmount = (quantity: string, unitPrice: string, currency: string): string =>
  new Big(quantity).times(unitPrice).toFixed(minorDigits(currency), Big.roundHalfUp);

/** The exact sum, with the currency's decimals (more, if an amount has more). */
export const sumAmounts = (amounts: Iterable<string>, currency: string): string => {
  let sum = new Big(0);
  let digits = minorDigits(currency);
  for (const amount of amounts) {
    sum = sum.plus(amount);
    digits = Math.max(digits, amount.split('.')[1]?.length ?? 0);
  }
  return sum.toFixed(digits);
};
