import type { ActorId, CompanyId, ErasureId, Opened, OwnerRef, SubjectId } from '#kernel';
import { companyOwner, subjectOwner } from '#kernel';
import type { Decider, RecordedEvent, StreamName } from '#ledger';
import { isEvent } from '#ledger';
import type { DestroyedKey, PlanLine, PlannedScope } from './erasure.events.js';
import {
  ErasureApproved,
  ErasureCertified,
  ErasureDelayed,
  ErasureExecuted,
  ErasureExecutionRequested,
  ErasureFenced,
  ErasureGivenUp,
  ErasurePlanned,
  ErasureStopped,
  ErasureVerified,
} from './erasure.events.js';

/** The plan that is on the table. Items, salt and note read as erased once the erasure has been executed. */
export interface Plan {
  readonly erasureId: ErasureId;
  readonly owner: OwnerRef;
  readonly ground: string;
  readonly planHash: string;
  readonly summary: readonly PlanLine[];
  readonly items: Opened<readonly PlannedScope[]>;
  readonly salt: Opened<string>;
  readonly note: Opened<string | null>;
  /** Who planned first: a plan that was computed anew is still theirs. */
  readonly plannedBy: ActorId;
  readonly plannedAt: Date;
  readonly policyVersion: string;
}

export interface Executed {
  readonly orderId: string;
  readonly liveErasedAt: string;
  readonly destroyed: readonly DestroyedKey[];
}

interface Underway {
  readonly plan: Plan;
  /** What is being repeated: `step:code`. Emptied by the step that succeeds. */
  readonly delayed: readonly string[];
}

/** The erasure of one owner, in the owner's own stream. One at a time; after `given-up` another may be planned. */
export type ErasureCase =
  | { readonly status: 'none'; readonly ownerKnown: boolean }
  | { readonly status: 'planned'; readonly plan: Plan }
  | { readonly status: 'approved'; readonly plan: Plan; readonly approvedBy: ActorId }
  | ({ readonly status: 'requested' } & Underway)
  | ({ readonly status: 'fenced'; readonly orderId: string } & Underway)
  | ({ readonly status: 'executed'; readonly executed: Executed } & Underway)
  | ({ readonly status: 'verified'; readonly executed: Executed } & Underway)
  | { readonly status: 'erased'; readonly plan: Plan; readonly executed: Executed; readonly certificate: string };

/** The steps that the job still has to do are those of a case in one of these states. */
export type UnderwayCase = Extract<ErasureCase, { status: 'requested' | 'fenced' | 'executed' | 'verified' }>;

export const erasureStream = (owner: OwnerRef): StreamName =>
  owner.kind === 'subject' ? `customer-${owner.id}` : `company-${owner.id}`;

export const erasureCase: Decider<ErasureCase> = {
  initial: { status: 'none', ownerKnown: false },
  evolve(state: ErasureCase, event: RecordedEvent): ErasureCase {
    if (isEvent(event, ErasurePlanned)) return { status: 'planned', plan: planOf(event, state) };
    if (state.status === 'none') return state.ownerKnown ? state : { status: 'none', ownerKnown: true };
    const { plan } = state;
    if (isEvent(event, ErasureApproved)) return { status: 'approved', plan, approvedBy: event.metadata.actor };
    if (isEvent(event, ErasureExecutionRequested)) return { status: 'requested', plan, delayed: [] };
    if (isEvent(event, ErasureFenced)) return { status: 'fenced', plan, orderId: event.data.orderId, delayed: [] };
    if (isEvent(event, ErasureStopped)) return { status: 'planned', plan };
    if (isEvent(event, ErasureGivenUp)) return { status: 'none', ownerKnown: true };
    if (isEvent(event, ErasureDelayed) && isUnderway(state))
      return { ...state, delayed: [...state.delayed, `${event.data.step}:${event.data.code}`] };
    if (isEvent(event, ErasureExecuted) && state.status === 'fenced') {
      const { liveErasedAt, destroyed } = event.data;
      return { status: 'executed', plan, executed: { orderId: state.orderId, liveErasedAt, destroyed }, delayed: [] };
    }
    if (isEvent(event, ErasureVerified) && state.status === 'executed')
      return { ...state, status: 'verified', delayed: [] };
    if (isEvent(event, ErasureCertified) && state.status === 'verified')
      return { status: 'erased', plan, executed: state.executed, certificate: event.data.certificate };
    return state;
  },
};

const planOf = (event: RecordedEvent<(typeof ErasurePlanned)['fields']>, before: ErasureCase): Plan => {
  const { ownerId, ownerKind, erasureId, ground, planHash, summary, items, salt, note } = event.data;
  const owner = ownerKind === 'subject' ? subjectOwner(ownerId as SubjectId) : companyOwner(ownerId as CompanyId);
  const same = before.status !== 'none' && before.plan.erasureId === erasureId ? before.plan : undefined;
  return {
    ...{ erasureId, owner, ground, planHash, summary, items, salt, note },
    plannedBy: same?.plannedBy ?? event.metadata.actor,
    plannedAt: event.at,
    policyVersion: event.metadata.policyVersion,
  };
};

/** Whether keys of this erasure may be destroyed at any moment, or are. */
export const isUnderway = (state: ErasureCase): state is UnderwayCase =>
  state.status === 'requested' ||
  state.status === 'fenced' ||
  state.status === 'executed' ||
  state.status === 'verified';
