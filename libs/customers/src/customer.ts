import type { SourceKey } from '#companies';
import type { Draft } from '#events';
import { SubjectErased } from '#events';
import type { CompanyId, CustomerId, Day, Opened } from '#kernel';
import { MakulerError, valueOf } from '#kernel';
import type { Decider, RecordedEvent, StreamName } from '#ledger';
import { isEvent } from '#ledger';
import type { ActivityKind, CustomerCard, Region, Relationship, Sector } from './customer.events.js';
import { ActivityNoted, CustomerRectified, CustomerRegistered, RelationshipChanged } from './customer.events.js';

/** A customer's card as the stream gives it back: each field its value, or erased. */
export type OpenedCustomerCard = { readonly [K in keyof CustomerCard]: Opened<CustomerCard[K]> };

/** What the person did last, and what they bought first. */
export interface Activity {
  readonly lastDay?: Day;
  readonly firstPurchaseId?: string;
}

/** A person we know, or knew. `revision` is that of the card's last change: what `If-Match` is compared with. */
export type Customer =
  | { readonly status: 'unknown' }
  | {
      readonly status: 'known';
      readonly id: CustomerId;
      readonly relationship: Relationship;
      readonly revision: bigint;
      readonly card: OpenedCustomerCard;
      readonly activity: Activity;
      /** An erasure is under way and nothing new is accepted; it ends in `forgotten`, or in open again. */
      readonly closing?: boolean;
    }
  | { readonly status: 'forgotten' };

export type KnownCustomer = Extract<Customer, { status: 'known' }>;

export const customerStream = (id: CustomerId): StreamName => `customer-${id}`;

export const customer: Decider<Customer> = {
  initial: { status: 'unknown' },
  evolve(state: Customer, event: RecordedEvent): Customer {
    if (isEvent(event, SubjectErased)) return { status: 'forgotten' };
    if (isEvent(event, CustomerRegistered)) {
      const { customerId, relationship, name, phone, email, companyId, address } = event.data;
      const card = { name, phone, email, companyId, address };
      return { status: 'known', id: customerId, relationship, revision: event.revision, card, activity: {} };
    }
    if (state.status !== 'known') return state;
    if (isEvent(event, CustomerRectified)) {
      const { name, phone, email, companyId, address } = event.data;
      return { ...state, revision: event.revision, card: { name, phone, email, companyId, address } };
    }
    if (isEvent(event, RelationshipChanged))
      return { ...state, revision: event.revision, relationship: event.data.relationship };
    if (isEvent(event, ActivityNoted)) return { ...state, activity: after(state.activity, event.data) };
    // The erasure's own events, by name: libs/erasure stands on this library. The vault's fence refuses too; this says so earlier.
    if (event.type === 'erasure.fenced') return { ...state, closing: true };
    if (event.type === 'erasure.stopped') return { ...state, closing: false };
    return state;
  },
};

const after = (
  activity: Activity,
  noted: { day: Opened<Day>; kind: Opened<ActivityKind>; recordId: Opened<string> },
) => {
  const day = valueOf(noted.day);
  const first = valueOf(noted.kind) === 'purchase' ? valueOf(noted.recordId) : undefined;
  return {
    ...activity,
    ...(day !== undefined && day > (activity.lastDay ?? '') ? { lastDay: day } : {}),
    ...(first !== undefined && activity.firstPurchaseId === undefined ? { firstPurchaseId: first } : {}),
  };
};

/** What the plain fields of a registration say: facts for the analysts. */
export interface Segment {
  readonly sector: Sector;
  readonly region: Region;
}

export interface Registration {
  readonly id: CustomerId;
  readonly relationship: 'lead' | 'customer';
  readonly card: CustomerCard;
  readonly segment: Segment;
  readonly sourceKey: SourceKey | null;
  /** Random id of the card's first revision: the partition of its key. */
  readonly revisionId: string;
}

/** A person is registered once. Said again (a retry under the same reserved id), nothing is left to say. */
export const registerCustomer = (
  state: Customer,
  { id, relationship, card, segment, sourceKey, revisionId }: Registration,
): Draft<any>[] => {
  if (state.status !== 'unknown') return [];
  const data = { customerId: id, relationship, ...segment, ...card, sourceKey };
  return [CustomerRegistered.of(data, { partitions: { contact: revisionId } })];
};

export interface CardChange {
  readonly changes: Partial<CustomerCard>;
  /** Revision of the card that the change was made for. */
  readonly expected: bigint;
  /** Random id of this revision: the partition of its key. */
  readonly revisionId: string;
}

/** Rectifies a card. Throws `not-found`, `subject-closed`, `precondition-failed`; says nothing when nothing changes. */
export const rectifyCustomer = (state: Customer, { changes, expected, revisionId }: CardChange): Draft<any>[] => {
  const known = requireCustomer(state);
  if (known.revision !== expected) throw new MakulerError('precondition-failed');
  const current = openCustomerCard(known);
  const next = { ...current, ...changes };
  const fields = Object.keys(changes) as (keyof CustomerCard)[];
  if (fields.every((field) => same(current[field], next[field]))) return [];
  return [CustomerRectified.of({ customerId: known.id, ...next }, { partitions: { contact: revisionId } })];
};

/** What may follow what. A customer whose relationship ended may come back while we still know them. */
const FOLLOWS: Readonly<Record<Relationship, readonly Relationship[]>> = {
  lead: ['customer', 'ended'],
  customer: ['ended'],
  ended: ['customer'],
};

/** Changes the relationship. Throws `illegal-transition` naming the legal ones, `not-found`, `subject-closed`. */
export const changeRelationship = (state: Customer, to: Relationship, segment: Segment): Draft<any>[] => {
  const known = requireCustomer(state);
  const allowed = FOLLOWS[known.relationship];
  if (!allowed.includes(to))
    throw new MakulerError('illegal-transition', { facts: { from: known.relationship, allowed } });
  return [RelationshipChanged.of({ customerId: known.id, relationship: to, ...segment })];
};

export interface NotedActivity {
  readonly day: Day;
  readonly kind: ActivityKind;
  readonly recordId: string;
}

/**
 * Notes an activity if it moves a date: a later day than the last, or the first purchase. Throws `not-found` and
 * `subject-closed`, so whoever writes about a person asks here first.
 */
export const noteActivity = (state: Customer, { day, kind, recordId }: NotedActivity): Draft<any>[] => {
  const { id, activity } = requireCustomer(state);
  const first = kind === 'purchase' && activity.firstPurchaseId === undefined;
  const later = activity.lastDay === undefined || day > activity.lastDay;
  return first || later ? [ActivityNoted.of({ customerId: id, day, kind, recordId })] : [];
};

/** The customer if known and not forgotten. Throws `not-found` or `subject-closed`. */
export const requireCustomer = (state: Customer): KnownCustomer => {
  if (state.status === 'unknown') throw new MakulerError('not-found');
  if (state.status === 'forgotten' || state.closing || state.card.name.state !== 'value')
    throw new MakulerError('subject-closed');
  return state;
};

/**
 * The customer if they may buy. What the policy requires of a customer is a precondition of the relationship (statement, S11),
 * so a lead, or somebody whose relationship ended, becomes a customer first. Throws `invalid-input`, `not-found`, `subject-closed`.
 */
export const requireBuyer = (state: Customer): KnownCustomer => {
  const known = requireCustomer(state);
  if (known.relationship === 'customer') return known;
  const message = 'Only a customer buys: change the relationship first, with all that the policy requires.';
  throw new MakulerError('invalid-input', { errors: [{ path: 'customerId', code: 'not-a-customer', message }] });
};

/** The card's values; all stand under one key, so they are there together. Throws `subject-closed`. */
export const openCustomerCard = ({ card }: KnownCustomer): CustomerCard => {
  const name = valueOf(card.name);
  if (name === undefined) throw new MakulerError('subject-closed');
  return {
    name,
    phone: valueOf(card.phone) ?? null,
    email: valueOf(card.email) ?? null,
    companyId: valueOf(card.companyId) ?? (null as CompanyId | null),
    address: valueOf(card.address) ?? null,
  };
};

const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
