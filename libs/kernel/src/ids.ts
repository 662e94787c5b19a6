import { v7 } from 'uuid';

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

/** A new random UUIDv7 (RFC 9562). Nothing about its bearer goes into it. */
export const newId = <T extends string>(): T => v7() as T;

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
/** Lower-case canonical UUIDv7 text, and nothing else. */
export const isId = (value: unknown): value is string => typeof value === 'string' && UUID_V7.test(value);

/** Whose key seals a field: a person, or a company (no subject, but it may turn out to be a sole proprietorship). */
export type OwnerRef =
  { readonly kind: 'subject'; readonly id: SubjectId } | { readonly kind: 'company'; readonly id: CompanyId };

export const subjectOwner = (id: SubjectId): OwnerRef => ({ kind: 'subject', id });
export const companyOwner = (id: CompanyId): OwnerRef => ({ kind: 'company', id });
