import { RelationshipChanged, ActivityNoted, CustomerRectified, CustomerRegistered } from '#customers';
import { CompanyRectified, CompanyRegistered } from '#companies';
import type { Day, Opened, OwnerRef } from '#kernel';
import { companyOwner, osloDay, subjectOwner, valueOf } from '#kernel';
import type { RecordedEvent, ScopeOutcome } from '#ledger';
import { isEvent } from '#ledger';
import { PurchaseInvoiced, PurchaseRecorded } from '#purchases';
import { ServiceCaseAdvanced, ServiceCaseOpened } from '#service';
import type { Holding, HoldingOwner } from './holding.js';

/** What one event adds to what is known of one of its scopes. */
export type EventFacts = Partial<Pick<Holding, 'buyer_kind' | 'triggers' | 'activity_on' | 'concerns'>>;

const dayOf = (instant: Opened<string | null>): Day | undefined => {
  const text = valueOf(instant);
  return text ? osloDay(new Date(text)) : undefined;
};
const latest = (days: readonly (Day | null | undefined)[]): Day | undefined =>
  days
    .flatMap((day) => (day ? [day] : []))
    .sort()
    .at(-1);

/**
 * The facts of a live scope that one event gives. Days that were sealed are read here, while the key lives, and go with the
 * row when it doesn't: a rebuild after that finds neither.
 */
export const factsOf = (event: RecordedEvent, scope: ScopeOutcome): EventFacts => {
  const recorded = osloDay(event.at);
  switch (scope.category) {
    case 'contact':
    case 'invoice-contact':
      return { triggers: { 'last-contact': recorded } };
    case 'relation':
      return relationFacts(event);
    case 'purchase':
      return isEvent(event, PurchaseRecorded) ? purchaseFacts(event, scope.slot) : {};
    case 'billing':
      return isEvent(event, PurchaseInvoiced) ? billingFacts(event) : {};
    case 'service':
      return serviceFacts(event, recorded);
    case 'request':
      // The first event of a request is the one that opens its scope; `since` of the row keeps that day.
      return { triggers: { 'request-opened': recorded } };
    case 'trace':
      return { triggers: { 'month-end': `${scope.partition}-01` } };
    case 'consent':
      return { triggers: { 'consent-given': recorded } };
    default:
      return {};
  }
};

const relationFacts = (event: RecordedEvent): EventFacts => {
  const day = isEvent(event, ActivityNoted) ? valueOf(event.data.day) : undefined;
  return day === undefined ? {} : { activity_on: day };
};

const purchaseFacts = (event: RecordedEvent<(typeof PurchaseRecorded)['fields']>, slot: string): EventFacts => {
  const { day, sector, takenOverAt, purchasedAt, items, contactTerms } = event.data;
  const terms = valueOf(contactTerms);
  const guarantees =
    slot === 'contact' ? [terms?.guaranteeUntil] : (valueOf(items) ?? []).map((item) => item.guaranteeUntil);
  const takenOver =
    slot === 'contact'
      ? terms?.takenOverAt && osloDay(new Date(terms.takenOverAt))
      : (dayOf(takenOverAt) ?? dayOf(purchasedAt));
  const guarantee = latest(guarantees);
  return {
    buyer_kind: sector === 'business' ? 'business' : 'consumer',
    triggers: { 'taking-over': takenOver || day, ...(guarantee === undefined ? {} : { 'guarantee-end': guarantee }) },
    activity_on: day,
  };
};

const billingFacts = (event: RecordedEvent<(typeof PurchaseInvoiced)['fields']>): EventFacts => {
  const invoice = valueOf(event.data.invoice);
  return {
    buyer_kind: event.data.sector === 'business' ? 'business' : 'consumer',
    ...(invoice === undefined ? {} : { triggers: { 'fiscal-year-end': invoice.date }, activity_on: invoice.date }),
  };
};

const serviceFacts = (event: RecordedEvent, recorded: Day): EventFacts => {
  if (!isEvent(event, ServiceCaseOpened)) return { triggers: { 'case-activity': recorded } };
  const { day, purchaseId } = event.data;
  return { triggers: { 'case-activity': day }, activity_on: day, concerns: valueOf(purchaseId) ?? null };
};

/** A step of a service case holds nothing personal, so it is found by the case: the partition of the case's key. */
export const caseStep = (event: RecordedEvent): { caseId: string; day: Day; closed: boolean } | undefined =>
  isEvent(event, ServiceCaseAdvanced)
    ? { caseId: event.stream.slice('service-'.length), day: event.data.day, closed: event.data.status === 'closed' }
    : undefined;

/** A rectification gives the card a new key: the owner whose earlier revisions are superseded by it. */
export const rectifiedOwner = (event: RecordedEvent): string | undefined => {
  if (isEvent(event, CustomerRectified)) return event.data.customerId;
  return isEvent(event, CompanyRectified) ? event.data.companyId : undefined;
};

/** What the owner's own stream says of the owner, in clear. */
export const ownerFacts = (
  event: RecordedEvent,
): { owner: OwnerRef; known: Partial<Omit<HoldingOwner, 'owner_id' | 'owner_kind'>> } | undefined => {
  const day = osloDay(event.at);
  if (isEvent(event, CustomerRegistered)) {
    const { customerId, relationship } = event.data;
    return { owner: subjectOwner(customerId), known: { relationship, registered_on: day } };
  }
  if (isEvent(event, CompanyRegistered))
    return { owner: companyOwner(event.data.companyId), known: { registered_on: day } };
  if (!isEvent(event, RelationshipChanged)) return undefined;
  const { customerId, relationship } = event.data;
  const contractEnd = relationship === 'ended' ? day : null;
  return { owner: subjectOwner(customerId), known: { relationship, contract_end: contractEnd } };
};
