import type { PostalAddress } from '#formats';
import {
  InputReading,
  isCountry,
  parseEmail,
  parseFreeText,
  parseOrganisationNumber,
  parsePostalAddress,
  postalRegion,
  refused,
} from '#formats';
import type { Policy } from '#policy';
import type { CompanyCard } from './company.events.js';

type Given<T> = { readonly [K in keyof T]?: T[K] | null | undefined };

/** A company as a request gives it, before anything was checked. */
export type CompanyInput = Given<Omit<CompanyCard, 'address'>> & {
  readonly address?: Given<PostalAddress> | null | undefined;
};

/**
 * Reads the fields of a company that are there. `path` is where the company stands in the request (`company`, or empty).
 * What must be there is the policy's business (`Policy.checkFields`); what is there must be right.
 */
export const readCompany = (policy: Policy, input: CompanyInput, reading: InputReading, path = ''): CompanyCard => {
  const at = (field: string) => (path === '' ? field : `${path}.${field}`);
  const country = input.country?.trim() || policy.formats.defaultCountry;
  if (!isCountry(country))
    reading.take(
      refused(at('country'), 'country-unknown', 'Give the country as two capital letters (ISO 3166), as in NO.'),
    );
  return {
    name: reading.optional(input.name, (text) => parseFreeText(text.trim(), at('name'), { maxLength: 200 })) ?? '',
    organisationNumber: reading.optional(input.organisationNumber, (text) =>
      parseOrganisationNumber(text, { path: at('organisationNumber'), country }),
    ),
    country,
    legalForm: reading.optional(input.legalForm, (text) =>
      parseFreeText(text.trim(), at('legalForm'), { maxLength: 60 }),
    ),
    address: readAddress(policy, input.address, country, reading, at('address')),
    invoiceEmail: reading.optional(input.invoiceEmail, (text) => parseEmail(text, at('invoiceEmail'))),
  };
};

/** Reads an address; null for none. A place that does not fit its postal code is a warning. */
export const readAddress = (
  policy: Policy,
  input: Given<PostalAddress> | null | undefined,
  defaultCountry: string,
  reading: InputReading,
  path: string,
): PostalAddress | null => {
  if (input === null || input === undefined) return null;
  const given = Object.fromEntries(
    Object.entries(input).filter(([, part]) => typeof part === 'string'),
  ) as PostalAddress;
  const { unknownPostalCode } = policy.formats;
  const address = reading.take(parsePostalAddress(given, { path, defaultCountry, unknownPostalCode }));
  return address && Object.keys(address).length > 0 ? address : null;
};

/** Where an address is, as coarsely as analysts may know: two digits of a Norwegian postal code, `abroad`, or null. */
export const regionOf = (address: PostalAddress | null, defaultCountry: string): string | null => {
  if (address === null) return null;
  const country = address.country ?? defaultCountry;
  return country === 'NO' ? (postalRegion(address.postalCode) ?? null) : 'abroad';
};
