import type { SourceKey } from '#companies';
import { event, personal, plain, reference } from '#events';
import type { CustomerId, Day, PurchaseId } from '#kernel';

/** What the person came with: a question, a return (angrerett), a complaint (reklamasjon), something to be repaired. */
export type CaseKind = 'enquiry' | 'return' | 'complaint' | 'repair';

/** Where a case stands. `repaired` to `rejected` are outcomes; `closed` starts the clock of its retention. */
export type CaseStatus =
  'opened' | 'inProgress' | 'awaitingPart' | 'repaired' | 'replaced' | 'refunded' | 'rejected' | 'closed' | 'reopened';

const DAY = 'A day, shared by everything that happened on it.';

/** A person came to us with something about what they bought. The case is theirs: its texts die with their key. */
export const ServiceCaseOpened = event('service-case.opened', 1, {
  kind: plain<CaseKind>('One of four kinds that all cases share.'),
  itemType: plain<string>('A type of goods from the catalogue, never a text about a person.'),
  day: plain<Day>(DAY),
  customerId: reference<CustomerId>('service', { owner: 'customer' }),
  purchaseId: personal<PurchaseId | null>('service', { owner: 'customer' }),
  serialNumber: personal<string | null>('service', { owner: 'customer' }),
  description: personal<string>('service', { owner: 'customer' }),
  sourceKey: personal<SourceKey | null>('service', { owner: 'customer', source: 'register' }),
});

/** The case moved on. A status is a fact about the work and says nothing about the person, so it stays when they are forgotten. */
export const ServiceCaseAdvanced = event('service-case.advanced', 1, {
  status: plain<CaseStatus>('One of nine words that all cases share.'),
  day: plain<Day>(DAY),
});

/** Somebody at the service desk wrote something down about the case: free text, sealed like the description. */
export const ServiceNoteAdded = event('service-case.note-added', 1, {
  text: personal<string>('service', { owner: 'customer' }),
});

/** Everything that a `service-` stream may hold. */
export const serviceEvents = [ServiceCaseOpened, ServiceCaseAdvanced, ServiceNoteAdded];
