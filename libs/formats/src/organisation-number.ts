import type { Parsed } from './parsed.js';
import { accepted, refused } from './parsed.js';

const WEIGHTS = [3, 2, 7, 6, 5, 4, 3, 2];

/** Whether nine digits are an organisation number: modulus 11 over the first eight (Brønnøysundregistrene). */
export const isOrganisationNumber = (digits: string): boolean => {
  if (!/^\d{9}$/.test(digits)) return false;
  const sum = WEIGHTS.reduce((total, weight, i) => total + weight * Number(digits[i]), 0);
  // A remainder of 1 asks for the check digit 10, so one prefix in eleven has no number.
  return (11 - (sum % 11)) % 11 === Number(digits[8]);
};

/**
 * An organisation number as nine digits; spaces and the VAT form `NO 974 760 673 MVA` are taken. A synthetic test number
 * (it begins with 2 or 3) is accepted with the warning `organisation-number-synthetic`.
 * Of another country (ISO 3166, two letters) only the shape is known: it is kept as entered, with the warning
 * `organisation-number-not-checked`.
 */
export const parseOrganisationNumber = (
  input: string,
  { path = 'organisationNumber', country = 'NO' }: { path?: string; country?: string } = {},
): Parsed<string> => {
  if (country !== 'NO') return foreign(input, path);
  const digits = input
    .normalize('NFKC')
    .replace(/[\s.]/g, '')
    .replace(/^NO(?=\d)/i, '')
    .replace(/(?<=\d)MVA$/i, '');
  if (!/^\d{9}$/.test(digits))
    return refused(path, 'organisation-number-shape', 'Give the nine digits of the organisation number.');
  if (!isOrganisationNumber(digits))
    return refused(
      path,
      'organisation-number-check-digit',
      'The check digit does not fit: a digit is wrong or swapped.',
    );
  if (/^[23]/.test(digits))
    return accepted(digits, {
      path,
      code: 'organisation-number-synthetic',
      message: 'This is a synthetic number for tests: real ones begin with 8 or 9.',
    });
  return accepted(digits);
};

const foreign = (input: string, path: string): Parsed<string> => {
  const text = input.trim();
  if (!/^[\p{L}\p{N}](?:[\p{L}\p{N} .\-/]{0,28}[\p{L}\p{N}])?$/u.test(text))
    return refused(
      path,
      'organisation-number-shape',
      'Give 1 to 30 letters and digits, as the register of that country writes it.',
    );
  return accepted(text, {
    path,
    code: 'organisation-number-not-checked',
    message: 'Numbers of other countries are kept as entered: only their shape was checked.',
  });
};

/** Print form `974 760 673`. Another country's number is printed as it is kept. */
export const formatOrganisationNumber = (number: string): string =>
  /^\d{9}$/.test(number) ? number.replace(/(\d{3})(?=\d)/g, '$1 ') : number;
