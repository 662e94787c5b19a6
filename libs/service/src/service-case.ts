import type { SourceKey } from '#companies';
import type { Draft } from '#events';
import type { CustomerId, Day, Opened, PurchaseId, ServiceCaseId } from '#kernel';
import { MakulerError, subjectOwner, valueOf } from '#kernel';
import type { Decider, RecordedEvent, StreamName } from '#ledger';
import { isEvent } from '#ledger';
import type { CaseKind, CaseStatus } from './service-case.events.js';
import { ServiceCaseAdvanced, ServiceCaseOpened, ServiceNoteAdded } from './service-case.events.js';
import { allowedFrom } from './transitions.js';

/** A case: what it is about, where it stands, and whose it is as long as that can be read. */
export type ServiceCase =
  | { readonly status: 'unknown' }
  | {
      readonly status: CaseStatus;
      readonly kind: CaseKind;
      readonly customerId: Opened<CustomerId>;
    };

export const serviceStream = (id: ServiceCaseId): StreamName => `service-${id}`;

export const serviceCase: Decider<ServiceCase> = {
  initial: { status: 'unknown' },
  evolve(state: ServiceCase, event: RecordedEvent): ServiceCase {
    if (isEvent(event, ServiceCaseOpened))
      return { status: 'opened', kind: event.data.kind, customerId: event.data.customerId };
    if (isEvent(event, ServiceCaseAdvanced) && state.status !== 'unknown')
      return { ...state, status: event.data.status };
    return state;
  },
};

export interface CaseDetails {
  readonly customerId: CustomerId;
  readonly kind: CaseKind;
  readonly itemType: string;
  readonly day: Day;
  readonly purchaseId: PurchaseId | null;
  readonly serialNumber: string | null;
  readonly description: string;
  readonly sourceKey: SourceKey | null;
}

/** Opens a case, once: the id is reserved, so a stream that exists is this command's own earlier attempt. */
export const openCase = (state: ServiceCase, details: CaseDetails): Draft<any>[] =>
  state.status === 'unknown'
    ? [ServiceCaseOpened.of(details, { owners: { customer: subjectOwner(details.customerId) } })]
    : [];

/**
 * Moves a case on. Throws `illegal-transition` with the legal ones in `allowed`, `not-found`, and `subject-closed` once the
 * person is forgotten: what is left of the case is a fact about the past.
 */
export const advanceCase = (state: ServiceCase, to: CaseStatus, day: Day): Draft<any>[] => {
  const { kind, status } = requireReadable(state);
  const allowed = allowedFrom(kind, status);
  if (!allowed.includes(to)) throw new MakulerError('illegal-transition', { facts: { from: status, allowed } });
  return [ServiceCaseAdvanced.of({ status: to, day })];
};

/** Adds a note under the person's key. Throws `not-found`, `subject-closed`. */
export const addNote = (state: ServiceCase, text: string): Draft<any>[] => {
  const { owner } = requireReadable(state);
  return [ServiceNoteAdded.of({ text }, { owners: { customer: subjectOwner(owner) } })];
};

const requireReadable = (state: ServiceCase) => {
  if (state.status === 'unknown') throw new MakulerError('not-found');
  const owner = valueOf(state.customerId);
  if (owner === undefined) throw new MakulerError('subject-closed');
  return { ...state, owner };
};
