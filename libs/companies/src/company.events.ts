import { event, personal, subject } from '#events';
import type { PostalAddress } from '#formats';
import type { CompanyId } from '#kernel';

/** Form of organisation as the business register codes it (`AS`, `ENK`, …), or as the source wrote it. */
export type LegalForm = string;

/** The key that a source system gave its own record: what makes an import repeatable. Sealed like the record itself. */
export interface SourceKey {
  readonly source: string;
  readonly key: string;
}

/** What a company tells about itself; everything in it is sealed under the company's own keys. */
export interface CompanyCard {
  readonly name: string;
  readonly organisationNumber: string | null;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  /** null: unknown, which counts as a person (`countsAsPerson`). */
  readonly legalForm: LegalForm | null;
  readonly address: PostalAddress | null;
  /** May name another person (an accountant), so it has a scope of its own and can be forgotten alone. */
  readonly invoiceEmail: string | null;
}

/** The fields of the card, which every event that writes it has. */
export const companyCardFields = {
  name: personal<string>('contact', { source: 'contract-required' }),
  organisationNumber: personal<string | null>('contact', { source: 'contract-required' }),
  country: personal<string>('contact', { source: 'contract-required' }),
  legalForm: personal<LegalForm | null>('contact', { source: 'contract-required' }),
  address: personal<PostalAddress | null>('contact', { source: 'contract-required' }),
  invoiceEmail: personal<string | null>('invoice-contact', { source: 'volunteered' }),
};

/** A company became known to us. It gets keys of its own, because it may turn out to be a sole proprietorship. */
export const CompanyRegistered = event('company.registered', 1, {
  companyId: subject<CompanyId>(),
  ...companyCardFields,
  sourceKey: personal<SourceKey | null>('relation', { source: 'register' }),
});

/** The card was put right. Each revision has a key of its own (partition: the revision's id), so what was replaced is forgotten after its short maximum. */
export const CompanyRectified = event('company.rectified', 1, {
  companyId: subject<CompanyId>(),
  ...companyCardFields,
});

/** Everything that a `company-` stream may hold. */
export const companyEvents = [CompanyRegistered, CompanyRectified];
