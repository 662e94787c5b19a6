import { createRequire } from 'node:module';
import type { InputProblem } from '#kernel';
import type { Parsed } from './parsed.js';
import { accepted } from './parsed.js';

// Posten's register of 2021-05-31 (package norway-postal-codes), data under NLOD: name Posten Bring where it is shown or exported.
const REGISTER = createRequire(import.meta.url)('norway-postal-codes') as Readonly<Record<string, string>>;

export interface PostalAddress {
  readonly street?: string;
  readonly postalCode?: string;
  readonly city?: string;
  /** ISO 3166, two letters. */
  readonly country?: string;
}

export interface PostalOptions {
  readonly path?: string;
  /** The country of an address that names none. */
  readonly defaultCountry?: string;
  /** `keep`: a Norwegian code that the register doesn't know is kept with a warning (the register may be older than the code). */
  readonly unknownPostalCode?: 'keep' | 'refuse';
}

/** The register's name of the place, in capitals; undefined for an unknown code. It is derived, not given by the person. */
export const registeredCity = (postalCode: string): string | undefined =>
  Object.hasOwn(REGISTER, postalCode) ? REGISTER[postalCode] : undefined;

const COUNTRIES = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });
/** Whether two capitals are a country of ISO 3166. */
export const isCountry = (text: string): boolean =>
  /^[A-Z]{2}$/.test(text) &&
  !['EU', 'EZ', 'UN', 'XA', 'XB', 'ZZ', 'QO'].includes(text) &&
  COUNTRIES.of(text) !== undefined;

/**
 * Checks an address; every part is kept as entered, trimmed. In Norway the code has four digits and stands in the register
 * (`postal-code-unknown` otherwise), and a place other than the register's is a warning (`city-mismatch`): registers change.
 * Elsewhere only lengths are looked at. Which parts must be there is the policy's business.
 */
export const parsePostalAddress = (input: PostalAddress, options: PostalOptions = {}): Parsed<PostalAddress> => {
  const { path = 'address', defaultCountry = 'NO', unknownPostalCode = 'refuse' } = options;
  const problems: InputProblem[] = [];
  const warnings: InputProblem[] = [];
  const value: PostalAddress = trimmed(input);
  for (const [part, limit] of Object.entries(LIMITS))
    if ((value[part as keyof PostalAddress]?.length ?? 0) > limit)
      problems.push({ path: `${path}.${part}`, code: 'too-long', message: `Give at most ${limit} characters.` });
  const country = value.country ?? defaultCountry;
  if (!isCountry(country))
    problems.push({
      path: `${path}.country`,
      code: 'country-unknown',
      message: 'Give the country as two capital letters (ISO 3166), as in NO.',
    });
  if (country === 'NO' && value.postalCode !== undefined) {
    const at = `${path}.postalCode`;
    const city = registeredCity(value.postalCode);
    if (!/^\d{4}$/.test(value.postalCode))
      problems.push({
        path: at,
        code: 'postal-code-shape',
        message: 'Give the four digits of the postal code, leading zeros included.',
      });
    else if (city === undefined)
      (unknownPostalCode === 'keep' ? warnings : problems).push({
        path: at,
        code: 'postal-code-unknown',
        message: 'The register (2021) does not know this postal code.',
      });
    else if (value.city !== undefined && placeForm(value.city) !== placeForm(city))
      warnings.push({
        path: `${path}.city`,
        code: 'city-mismatch',
        message: 'The register has another place for this postal code.',
      });
  }
  return problems.length > 0 ? { ok: false, problems } : accepted(value, ...warnings);
};

const LIMITS = { street: 200, postalCode: 16, city: 100, country: 2 };

const trimmed = (input: PostalAddress): PostalAddress =>
  Object.fromEntries(
    Object.entries(input).flatMap(([key, value]: [string, unknown]) =>
      typeof value === 'string' && value.trim() !== '' ? [[key, value.trim()]] : [],
    ),
  );

const placeForm = (city: string) =>
  city
    .normalize('NFC')
    .toUpperCase()
    .replace(/[\s-]+/g, ' ');

/**
 * The first two digits of a Norwegian postal code, as a plain fact for analysts: some 90 regions of thousands of people.
 * `undefined` elsewhere and for what is no code.
 */
export const postalRegion = (postalCode: string | undefined, country = 'NO'): string | undefined =>
  country === 'NO' && postalCode !== undefined && /^\d{4}$/.test(postalCode) ? postalCode.slice(0, 2) : undefined;
