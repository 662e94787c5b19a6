import { randomPart } from './random.js';

declare const brand: unique symbol;
/** A string that the compiler keeps apart from other strings. */
export type Brand<T extends string> = string & { readonly [brand]: T };

/** A living person (GDPR art. 4(1)). Random UUIDv7; never derived from the person. */
export type SubjectId = Brand<'subject'>;
/** A customer is a subject in a customer or lead relationship: same id. */
export type CustomerId = SubjectId;
export type CompanyId = Brand<'company'>;
export type PurchaseId = Brand<'purchase'>;
export type ServiceCaseId = Brand<'service-case'>;
export type ErasureId = Brand<'erasure'>;
/** Names exactly one data key; random, never reused, stands in one stream only. */
export type ScopeId = Brand<'scope'>;
export type EventId = Brand<'event'>;
/** Whoever acts: a token's or staff member's random id. Names live in the control database. */
export type ActorId = Brand<'actor'>;

const DAY_MS = 86_400_000;

/**
 * UUIDv7 text (RFC 9562) of ten random bytes and an instant that is cut to its day. To the millisecond, the ids that one
 * command gave to two streams would share a time stamp, and so join those streams after their keys are gone.
 */
export const idFrom = <T extends string>(random: Uint8Array, atMs: number): T => {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(atMs - (atMs % DAY_MS), 0, 6);
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as T;
};

/** A new random id. Nothing about its bearer goes into it. */
export const newId = <T extends string>(): T => idFrom<T>(randomPart(10), Date.now());

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
/** Lower-case canonical UUIDv7 text, and nothing else. */
export const isId = (value: unknown): value is string => typeof value === 'string' && UUID_V7.test(value);

/** Whose key seals a field: a person, or a company (no subject, but it may turn out to be a sole proprietorship). */
export type OwnerRef =
  { readonly kind: 'subject'; readonly id: SubjectId } | { readonly kind: 'company'; readonly id: CompanyId };

export const subjectOwner = (id: SubjectId): OwnerRef => ({ kind: 'subject', id });
export const companyOwner = (id: CompanyId): OwnerRef => ({ kind: 'company', id });
