import type { CountryCode } from 'libphonenumber-js/core';
import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/core';
// The full numbering plans: the smaller ones know lengths only, and would take numbers that don't exist.
import plans from 'libphonenumber-js/metadata.max.json';
import type { Parsed } from './parsed.js';
import { accepted, refused } from './parsed.js';

export interface PhoneOptions {
  readonly path?: string;
  /** The country of a number without a country code, ISO 3166 in two letters. */
  readonly defaultCountry?: string;
  /** Five-digit and 800 numbers reach a company's switchboard, never a person: for companies only. */
  readonly company?: boolean;
  /** What to do with a foreign number that the numbering plans don't know: the policy's `formats.unknownForeignPhone`. */
  readonly unknownForeign?: 'keep' | 'refuse';
}

/** Types that stand for a company's service, not for somebody's telephone. */
const COMPANY_TYPES: ReadonlySet<string> = new Set(['UAN', 'TOLL_FREE', 'PREMIUM_RATE', 'SHARED_COST']);

/**
 * A telephone number in E.164 (`+4790012345`). Without a country code it is Norwegian, or of `defaultCountry`. With
 * `unknownForeign: 'keep'` a foreign number that the plans don't know is kept as entered (spaces gathered), with the
 * warning `phone-not-recognised`; such a value doesn't have to be E.164.
 */
export const parsePhone = (input: string, options: PhoneOptions = {}): Parsed<string> => {
  const { path = 'phone', defaultCountry = 'NO', company = false, unknownForeign = 'refuse' } = options;
  const text = input.normalize('NFKC').replace(/\s+/g, ' ').trim();
  const country = isSupportedCountry(defaultCountry as CountryCode, plans) ? (defaultCountry as CountryCode) : 'NO';
  const number = parsePhoneNumberFromString(
    text.replace(/^00(?=[1-9])/, '+'),
    { defaultCountry: country, extract: false },
    plans,
  );
  if (number?.isValid() && !number.ext) {
    if (!company && COMPANY_TYPES.has(number.getType() ?? ''))
      return refused(path, 'phone-company-only', 'This is a service number of a company: give the number of a person.');
    return accepted(number.number);
  }
  if (
    unknownForeign === 'keep' &&
    isForeign(text, country) &&
    /^\+?[\d ()\-./]{5,30}$/.test(text) &&
    digitsOf(text).length >= 5
  )
    return accepted(text, {
      path,
      code: 'phone-not-recognised',
      message: 'The numbering plans do not know this foreign number: it is kept as entered.',
    });
  return refused(
    path,
    'phone-not-valid',
    'Give a telephone number that exists: a Norwegian one with its digits, a foreign one with + and the country code.',
  );
};

const digitsOf = (text: string) => text.replace(/\D/g, '');
const isForeign = (text: string, country: string): boolean =>
  /^(\+|00)/.test(text) ? !/^(\+|00)\s?47/.test(text) : country !== 'NO';

/** For people to read: `900 12 345` and `53 66 86 00` in Norway, international elsewhere; what was kept as entered, as entered. */
export const formatPhone = (phone: string): string => {
  const norwegian = /^\+47(\d{8})$/.exec(phone)?.[1];
  // Mobile and 800 numbers are written 3-2-3 here; the library writes all of them in pairs.
  if (norwegian) return norwegian.replace(/^[489]/.test(norwegian) ? /(?<=^...|^.....)/g : /(?<=^(..)+)(?!$)/g, ' ');
  const number = parsePhoneNumberFromString(phone, plans);
  if (!number?.isValid()) return phone;
  return number.countryCallingCode === '47' ? number.nationalNumber : number.formatInternational();
};

/** For comparing only, never for storing: E.164 where the number is known, else its digits. Empty when there are none. */
export const phoneLookupForm = (input: string, defaultCountry = 'NO'): string => {
  const parsed = parsePhone(input, { defaultCountry, company: true });
  return parsed.ok ? parsed.value : digitsOf(input.normalize('NFKC')).replace(/^00/, '');
};
