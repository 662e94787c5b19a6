import type { Role } from '#kernel';
import type { Category, Provenance } from '#events';
import type { Trigger } from './triggers.js';

/** A text for people, in bokmål and English. */
export interface Wording {
  readonly nb: string;
  readonly en: string;
}

/** Legal bases of GDPR art. 6(1): consent, contract, legal obligation, legitimate interests. */
export type LegalBasis = 'art6-1-a' | 'art6-1-b' | 'art6-1-c' | 'art6-1-f';

/** What a record is checked as: `POST /v1/customers` is a lead or a customer, with a company inside or beside it. */
export type RecordKind = 'lead' | 'customer' | 'company' | 'purchase' | 'serviceCase';
/** Where a field's path begins. A lead and a customer are both the record `customer`. */
export type RecordName = 'customer' | 'company' | 'purchase' | 'serviceCase';

/** One field of the catalogue (statement S9): what it is for, on which basis, and where it comes from. */
export interface PolicyField {
  /** Path in the request body, e.g. `address.postalCode`, `lines[].serialNumber`. */
  readonly field: string;
  readonly category: Category;
  readonly text: Wording;
  /** Kinds of record that are refused without it. */
  readonly requiredFor: readonly RecordKind[];
  /** Required only where the part that it stands in (an address, an invoice) is given at all. */
  readonly whenGiven?: boolean;
  readonly purposes: readonly string[];
  readonly basis: LegalBasis;
  readonly provenance: Provenance;
  /** The statement's own word for it, letter for letter. */
  readonly statement?: string;
  /** Why a field stands here that the statement doesn't name. */
  readonly technical?: string;
}

export interface CategoryPolicy {
  readonly text: Wording;
  /** The purposes that keep it; the first is the main one. */
  readonly purposes: readonly string[];
  readonly basis: LegalBasis;
  /** What of the statement's list of what is kept this is, letter for letter. */
  readonly statement?: string;
}

/** Who may do what with which categories, under one purpose. */
export interface Access {
  readonly roles: readonly Role[];
  readonly read: readonly Category[];
  readonly write: readonly Category[];
}

export interface Purpose {
  readonly id: string;
  /** `statement`: the published statement names it. `law`: a law asks for it, whatever the statement says. */
  readonly source: 'statement' | 'law';
  readonly text: Wording;
  readonly basis: LegalBasis;
  readonly law?: string;
  /** The statement's own words, letter for letter. */
  readonly statement?: string;
  readonly access: readonly Access[];
}

/** What still has to happen before a person's data stop being necessary: GDPR art. 17(1)(a), (3)(e). */
export type AwaitedEvent = 'case-closed' | 'invoice-paid' | 'guarantee-end';

/** To whom a rule applies. A condition left out: to all. */
export interface RuleCondition {
  readonly relationship?: readonly ('lead' | 'customer' | 'ended')[];
  readonly buyer?: readonly ('consumer' | 'business')[];
  readonly owner?: readonly ('subject' | 'company')[];
}

/** Category × purpose × legal basis × trigger × minimum × maximum. Periods are ISO 8601, e.g. `P3Y6M`. */
export interface RetentionRule {
  readonly id: string;
  /** `any`: inherited by every category that has no rule of its own for the case. */
  readonly category: Category | 'any';
  readonly when: RuleCondition;
  readonly purpose: string;
  readonly basis: LegalBasis;
  readonly trigger: Trigger;
  /** What counts as the trigger where it was never recorded: another trigger, so much later. */
  readonly otherwise?: { readonly trigger: Trigger; readonly after: string };
  /** How long a law makes us keep it, from the trigger; `P0D` where none does. */
  readonly minimum: string;
  readonly maximum: string;
  /** A later end that a contract gives (a guarantee), and how far from the trigger it may reach at most. */
  readonly extendedBy?: { readonly trigger: Trigger; readonly atMost: string };
  /** The period doesn't run out, and an erasure is deferred, while one of these is awaited. */
  readonly waitsFor: readonly AwaitedEvent[];
  readonly law?: string;
  /** A default that the controller has still to confirm: no law gives the number. */
  readonly controllersChoice?: boolean;
  readonly why: string;
}

export type Allowance = 'required' | 'optional' | 'forbidden';

/** The policy manifest as a company writes it (`policy/…/manifest.yaml`); `manifest.schema.json` is its form. */
export interface Manifest {
  readonly manifest: 1;
  readonly version: string;
  readonly language: 'nb' | 'nn' | 'en';
  readonly controller: {
    readonly name: string;
    readonly shortName: string;
    readonly organisationNumber?: string;
    readonly contact: Wording;
    readonly website?: string;
  };
  readonly statement?: { readonly file: string; readonly sha256: string };
  /** Whether a lead or a customer comes with a company, and with an address of their own. */
  readonly relationships: Readonly<
    Record<'lead' | 'customer', { readonly company: Allowance; readonly address: Allowance }>
  >;
  readonly categories: Readonly<Partial<Record<Category, CategoryPolicy>>>;
  readonly records: Readonly<Record<RecordName, readonly PolicyField[]>>;
  readonly purposes: readonly Purpose[];
  readonly retention: readonly RetentionRule[];
  readonly calendar: { readonly fiscalYearEnd: string };
  readonly vouchers: { readonly held: 'here' | 'elsewhere'; readonly law: string };
  readonly erasure: {
    readonly fourEyes: boolean;
    readonly grounds: readonly { readonly id: string; readonly law: string; readonly text: Wording }[];
    /** How often a deferred erasure is looked at again. */
    readonly reviewEvery: string;
  };
  /** A sweep of more than the larger of these needs approval. */
  readonly sweep: { readonly scopes: number; readonly percent: number };
  readonly analytics: { readonly minimumGroup: number };
  readonly formats: {
    readonly defaultCountry: string;
    readonly unknownForeignPhone: 'keep' | 'refuse';
    readonly unknownPostalCode: 'keep' | 'refuse';
  };
  readonly supervisoryAuthority: { readonly name: string; readonly website: string; readonly address: string };
  readonly processors: readonly { readonly name: string; readonly task: Wording; readonly agreement: string }[];
  readonly rights: readonly { readonly id: string; readonly law: string; readonly text: Wording }[];
}
