import type { Draft } from '#events';
import { SubjectErased } from '#events';
import type { CompanyId, Opened } from '#kernel';
import { MakulerError, valueOf } from '#kernel';
import type { Decider, RecordedEvent, StreamName } from '#ledger';
import { isEvent } from '#ledger';
import type { CompanyCard, LegalForm, SourceKey } from './company.events.js';
import { CompanyRectified, CompanyRegistered } from './company.events.js';

/** A company's card as its stream gives it back: each field its value, or erased. */
export type OpenedCompanyCard = { readonly [K in keyof CompanyCard]: Opened<CompanyCard[K]> };

/** What we know of a company. `revision` is that of the card's last change: what `If-Match` is compared with. */
export type Company =
  | { readonly status: 'unknown' }
  | { readonly status: 'known'; readonly id: CompanyId; readonly revision: bigint; readonly card: OpenedCompanyCard }
  | { readonly status: 'forgotten' };

export type KnownCompany = Extract<Company, { status: 'known' }>;

export const companyStream = (id: CompanyId): StreamName => `company-${id}`;

export const company: Decider<Company> = {
  initial: { status: 'unknown' },
  evolve(state: Company, event: RecordedEvent): Company {
    if (isEvent(event, CompanyRegistered) || isEvent(event, CompanyRectified)) {
      const { companyId, name, organisationNumber, country, legalForm, address, invoiceEmail } = event.data;
      const card = { name, organisationNumber, country, legalForm, address, invoiceEmail };
      return { status: 'known', id: companyId, revision: event.revision, card };
    }
    return isEvent(event, SubjectErased) ? { status: 'forgotten' } : state;
  },
};

/** A company has its first event once. Said again (a retry under the same reserved id), nothing is left to say. */
export const registerCompany = (
  state: Company,
  id: CompanyId,
  card: CompanyCard,
  sourceKey: SourceKey | null,
  revisionId: string,
): Draft<any>[] =>
  state.status === 'unknown'
    ? [CompanyRegistered.of({ companyId: id, ...card, sourceKey }, { partitions: revision(revisionId) })]
    : [];

/** The keys of one revision of a card; the invoice e-mail, which may name another person, has its own. */
const revision = (id: string) => ({ contact: id, 'invoice-contact': id });

export interface CardChange {
  readonly changes: Partial<CompanyCard>;
  /** Revision of the card that the change was made for. */
  readonly expected: bigint;
  /** Random id of this revision: the partition of its keys. */
  readonly revisionId: string;
}

/** Rectifies a card. Throws `not-found`, `subject-closed`, `precondition-failed`; says nothing when nothing changes. */
export const rectifyCompany = (state: Company, { changes, expected, revisionId }: CardChange): Draft<any>[] => {
  const known = requireCompany(state);
  if (known.revision !== expected) throw new MakulerError('precondition-failed');
  const current = openCompanyCard(known);
  const next = { ...current, ...changes };
  const fields = Object.keys(changes) as (keyof CompanyCard)[];
  if (fields.every((field) => same(current[field], next[field]))) return [];
  return [CompanyRectified.of({ companyId: known.id, ...next }, { partitions: revision(revisionId) })];
};

/** The company if it is known and not forgotten. Throws `not-found` or `subject-closed`. */
export const requireCompany = (state: Company): KnownCompany => {
  if (state.status === 'unknown') throw new MakulerError('not-found');
  if (state.status === 'forgotten' || state.card.name.state !== 'value') throw new MakulerError('subject-closed');
  return state;
};

/** The card's values. The invoice e-mail reads as null when it alone was forgotten. */
export const openCompanyCard = ({ card }: KnownCompany): CompanyCard => {
  const name = valueOf(card.name);
  const country = valueOf(card.country);
  if (name === undefined || country === undefined) throw new MakulerError('subject-closed');
  return {
    name,
    country,
    organisationNumber: valueOf(card.organisationNumber) ?? null,
    legalForm: valueOf(card.legalForm) ?? null,
    address: valueOf(card.address) ?? null,
    invoiceEmail: valueOf(card.invoiceEmail) ?? null,
  };
};

/**
 * Whether a company's data are about a person: a sole proprietorship (ENK) is its owner, and an unknown form may be one.
 * Such a company can be erased like a person (GDPR recital 14 excludes legal persons only).
 */
export const countsAsPerson = (legalForm: LegalForm | null): boolean =>
  legalForm === null || legalForm.trim() === '' || /^(ENK|enkeltpersonforetak)$/i.test(legalForm.trim());

const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
