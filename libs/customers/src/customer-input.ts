import type { CompanyCard, CompanyInput } from '#companies';
import { readAddress, regionOf } from '#companies';
import type { PostalAddress } from '#formats';
import { InputReading, parseEmail, parseFreeText, parsePhone } from '#formats';
import type { CompanyId } from '#kernel';
import type { Policy } from '#policy';
import type { CustomerCard } from './customer.events.js';
import type { Segment } from './customer.js';

type Given<T> = { readonly [K in keyof T]?: T[K] | null | undefined };

/** What a request says of a person, before anything was checked. */
export interface CustomerChanges {
  readonly name?: string | null | undefined;
  readonly phone?: string | null | undefined;
  readonly email?: string | null | undefined;
  readonly companyId?: CompanyId | null | undefined;
  readonly address?: Given<PostalAddress> | null | undefined;
}

/** A registration as a request gives it: the company by its id, or itself. */
export interface CustomerInput extends CustomerChanges {
  readonly relationship: 'lead' | 'customer';
  readonly company?: CompanyInput | null | undefined;
}

/**
 * Reads the fields of a person that are there. What must be there, and what may not, is the policy's business
 * (`Policy.checkFields`); what is there must be right. What does not stop it is a warning in `reading`.
 */
export const readCustomer = (policy: Policy, input: CustomerChanges, reading: InputReading): CustomerCard => {
  const { defaultCountry, unknownForeignPhone } = policy.formats;
  // A foreign number often comes without its country code: the person's own country says which it is.
  const country = input.address?.country?.trim() || defaultCountry;
  return {
    name: reading.optional(input.name, (text) => parseFreeText(text.trim(), 'name', { maxLength: 200 })) ?? '',
    phone: reading.optional(input.phone, (text) =>
      parsePhone(text, { defaultCountry: country, unknownForeign: unknownForeignPhone }),
    ),
    email: reading.optional(input.email, (text) => parseEmail(text)),
    companyId: input.companyId ?? null,
    address: readAddress(policy, input.address, defaultCountry, reading, 'address'),
  };
};

/** The plain facts about a person: on whose behalf they buy, and roughly where that is. */
export const segmentOf = (policy: Policy, card: CustomerCard, company: CompanyCard | undefined): Segment =>
  company
    ? { sector: 'business', region: regionOf(company.address, company.country) }
    : { sector: 'private', region: regionOf(card.address, policy.formats.defaultCountry) };
