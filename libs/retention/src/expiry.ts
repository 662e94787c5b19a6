import type { Category, Draft } from '#events';
import { ScopeExpired, SubjectErased } from '#events';
import type { OwnerRef } from '#kernel';
import type { Decider, RecordedEvent, StreamName } from '#ledger';
import { isEvent } from '#ledger';
import type { CategoryCounts } from './retention.events.js';
import { ExpiryDropped, ExpiryOrdered } from './retention.events.js';

/** The stream in which an owner's id stands in clear, and events about forgetting them. */
export const ownStream = (owner: OwnerRef): StreamName =>
  owner.kind === 'subject' ? `customer-${owner.id}` : `company-${owner.id}`;

/** How far an owner's expiry is. One order at a time: the next begins when `scope.expired` stands in the stream. */
export interface Expiry {
  readonly openOrder: string | undefined;
  readonly erased: boolean;
  /** An erasure is destroying keys of this owner: nobody else does meanwhile. */
  readonly erasing: boolean;
}

// The erasure's own events, by name: libs/erasure stands on this library and can't be imported here.
const [FENCED, STOPPED] = ['erasure.fenced', 'erasure.stopped'];

export const expiry: Decider<Expiry> = {
  initial: { openOrder: undefined, erased: false, erasing: false },
  evolve(state: Expiry, event: RecordedEvent): Expiry {
    if (isEvent(event, ExpiryOrdered)) return { ...state, openOrder: event.data.orderId };
    if (isEvent(event, ScopeExpired) || isEvent(event, ExpiryDropped)) return { ...state, openOrder: undefined };
    if (isEvent(event, SubjectErased)) return { ...state, erased: true, erasing: false };
    if (event.type === FENCED) return { ...state, erasing: true };
    return event.type === STOPPED ? { ...state, erasing: false } : state;
  },
};

/** Reserves an order, unless one is open. */
export const orderExpiry = (
  state: Expiry,
  owner: OwnerRef,
  orderId: string,
  categories: CategoryCounts,
): Draft<any>[] =>
  state.openOrder === undefined && !state.erasing
    ? [ExpiryOrdered.of({ ownerId: owner.id, ownerKind: owner.kind, orderId, categories })]
    : [];

/**
 * Records what an order destroyed. Which purchases or cases is not said: it would take a new key for a person of whom we
 * mean to keep less, and the vault says it to whoever still has a row.
 */
export const recordExpiry = (
  state: Expiry,
  owner: OwnerRef,
  orderId: string,
  destroyed: CategoryCounts,
): Draft<any>[] => {
  if (state.openOrder !== orderId) return [];
  const base = { ownerId: owner.id, ownerKind: owner.kind };
  const expired = Object.entries(destroyed).map(([category, count]) =>
    ScopeExpired.of({ ...base, category: category as Category, count, partitions: null }),
  );
  return expired.length > 0 ? expired : [ExpiryDropped.of({ ...base, orderId })];
};
