import type { SourceKey } from '#companies';
import { event, personal, plain, reference, subject } from '#events';
import type { PostalAddress } from '#formats';
import type { CompanyId, CustomerId, Day } from '#kernel';

/** `lead`: in contact with us, no agreement. `customer`: an agreement. `ended`: the agreement is over. */
export type Relationship = 'lead' | 'customer' | 'ended';

/** On whose behalf the person buys: their own, or a company's. */
export type Sector = 'private' | 'business';

/** Two digits of a Norwegian postal code, `abroad`, or null when no address is known. */
export type Region = string | null;

/** What a person tells about themselves when they become known to us (statement, S10). The policy says which of it is asked for. */
export interface CustomerCard {
  readonly name: string;
  /** E.164; a number that the library does not know stands as it was entered, if the policy allows that. */
  readonly phone: string | null;
  readonly email: string | null;
  /** The company that the person is the contact of. */
  readonly companyId: CompanyId | null;
  readonly address: PostalAddress | null;
}

const RELATIONSHIP = 'One of three words that thousands share; says nothing about who it is.';
const SECTOR = 'Private or business: half of all customers share it.';
const REGION = 'Two digits of a postal code cover tens of thousands of people; foreign regions are one value.';

/** The fields of the card, which every event that writes it has. */
export const customerCardFields = {
  name: personal<string>('contact', { source: 'contract-required' }),
  phone: personal<string | null>('contact', { source: 'contract-required' }),
  email: personal<string | null>('contact', { source: 'contract-required' }),
  companyId: reference<CompanyId | null>('contact'),
  address: personal<PostalAddress | null>('contact', { source: 'contract-required' }),
};

/** A person became known to us, as a lead or as a customer. Nothing here is a derived or third-party value. */
export const CustomerRegistered = event('customer.registered', 1, {
  customerId: subject<CustomerId>(),
  relationship: plain<Relationship>(RELATIONSHIP),
  sector: plain<Sector>(SECTOR),
  region: plain<Region>(REGION),
  ...customerCardFields,
  sourceKey: personal<SourceKey | null>('relation', { source: 'register' }),
});

/**
 * The card was put right. Each revision of a card has a key of its own (partition: the revision's id), so what was replaced is
 * forgotten after its short maximum wherever it stands, without the rest of the person.
 */
export const CustomerRectified = event('customer.rectified', 1, {
  customerId: subject<CustomerId>(),
  ...customerCardFields,
});

/** A lead became a customer, or the relationship ended: the end of the agreement is what the claims window counts from. */
export const RelationshipChanged = event('customer.relationship-changed', 1, {
  customerId: subject<CustomerId>(),
  relationship: plain<Relationship>(RELATIONSHIP),
  sector: plain<Sector>(SECTOR),
  region: plain<Region>(REGION),
});

/** What a person did that keeps the relationship alive. */
export type ActivityKind = 'purchase' | 'service';

/**
 * The person bought or asked for service. Noted here, by day, before the other stream is written: retention counts from the
 * last activity, and must come to the same date in a rebuild after that other stream was forgotten.
 */
export const ActivityNoted = event('customer.activity-noted', 1, {
  customerId: subject<CustomerId>(),
  day: personal<Day>('relation'),
  kind: personal<ActivityKind>('relation'),
  /** The purchase or case. A repeated command finds its own id here and so comes to the same answer about "first". */
  recordId: personal<string>('relation'),
});

/** Everything of this context that a `customer-` stream may hold; forgetting events stand there too. */
export const customerEvents = [CustomerRegistered, CustomerRectified, RelationshipChanged, ActivityNoted];
