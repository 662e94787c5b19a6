import type { ActorId, CompanyId, ErasureId, Opened, OwnerRef, SubjectId } from '#kernel';
import { companyOwner, subjectOwner } from '#kernel';
import type { Decider, RecordedEvent, StreamName } from '#ledger';
import { isEvent } from '#ledger';
import type { DestroyedKey, PlanLine, PlannedScope, RecertificationReason } from './erasure.events.js';
import {
  ErasureApproved,
  ErasureAttested,
  ErasureCertificateListed,
  ErasureCertified,
  ErasureDelayed,
  ErasureExecuted,
  ErasureExecutionRequested,
  ErasureFenced,
  ErasureGivenUp,
  ErasureKeysListed,
  ErasurePlanned,
  ErasureRecertified,
  ErasureStopped,
  ErasureVerified,
} from './erasure.events.js';
import type { Met, Parts } from './parts.js';
import { meet, whole } from './parts.js';

/** The plan that is on the table. Items, salt and note read as erased once the erasure has been executed. */
export interface Plan {
  readonly erasureId: ErasureId;
  readonly owner: OwnerRef;
  readonly ground: string;
  readonly planHash: string;
  readonly summary: readonly PlanLine[];
  /** Those that its event holds: all of them or, where it has parts, none. `itemsOf` reads all. */
  readonly items: Opened<readonly PlannedScope[]>;
  readonly parts: Parts;
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

/** What is certified of backups, by the newest certificate. */
export interface Certified {
  /** JWS, compact. */
  readonly certificate: string;
  /** From 1; each new certificate of the same erasure has the next. */
  readonly edition: number;
  /** RFC 3339; `null` while no date is promised. */
  readonly backupsClearedBy: string | null;
  /** The last epoch whose roots could open a copy; `null` where an old certificate did not say. */
  readonly epoch: number | null;
  readonly reason: RecertificationReason | undefined;
  /** JWS, compact: the second statement, about this certificate. */
  readonly attestation: string | undefined;
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
  | ({ readonly status: 'fenced'; readonly orderId: string; readonly keys: Met<readonly DestroyedKey[]> } & Underway)
  | ({ readonly status: 'executed'; readonly executed: Executed } & Underway)
  | ({ readonly status: 'verified'; readonly executed: Executed; readonly pieces: Met<string> } & Underway)
  | ({
      readonly status: 'erased';
      readonly plan: Plan;
      readonly executed: Executed;
      readonly pieces: Met<string>;
    } & Certified);

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
    if (isEvent(event, ErasureFenced))
      return { status: 'fenced', plan, orderId: event.data.orderId, keys: new Map(), delayed: [] };
    if (isEvent(event, ErasureStopped)) return { status: 'planned', plan };
    if (isEvent(event, ErasureGivenUp)) return { status: 'none', ownerKnown: true };
    if (isEvent(event, ErasureDelayed) && isUnderway(state))
      return { ...state, delayed: [...state.delayed, `${event.data.step}:${event.data.code}`] };
    if (isEvent(event, ErasureKeysListed) && state.status === 'fenced')
      return { ...state, keys: meet(state.keys, event.data.list, event.data.destroyed) };
    if (isEvent(event, ErasureExecuted) && state.status === 'fenced') {
      const { orderId, keys } = state;
      const destroyed = [...whole(keys, event.data).flat(), ...event.data.destroyed];
      const executed = { orderId, liveErasedAt: event.data.liveErasedAt, destroyed };
      return { status: 'executed', plan, executed, delayed: [] };
    }
    if (isEvent(event, ErasureVerified) && state.status === 'executed')
      return { ...state, status: 'verified', pieces: new Map(), delayed: [] };
    if (state.status !== 'verified' && state.status !== 'erased') return state;
    const { pieces } = state;
    if (isEvent(event, ErasureCertificateListed))
      return { ...state, pieces: meet(pieces, event.data.list, event.data.piece) };
    if (isEvent(event, ErasureCertified) && state.status === 'verified') {
      const { backupsClearedBy, epoch } = event.data;
      const certificate = certificateOf(event, pieces);
      const certified = { certificate, backupsClearedBy, epoch, edition: 1, reason: undefined, attestation: undefined };
      return { status: 'erased', plan, executed: state.executed, pieces: new Map(), ...certified };
    }
    if (state.status !== 'erased') return state;
    if (isEvent(event, ErasureRecertified)) {
      const { backupsClearedBy, epoch, reason } = event.data;
      const certificate = certificateOf(event, pieces);
      const edition = state.edition + 1;
      return { ...state, certificate, backupsClearedBy, epoch, reason, edition, pieces: new Map() };
    }
    return isEvent(event, ErasureAttested) ? { ...state, attestation: event.data.attestation } : state;
  },
};

/**
 * The case from its newest plan on, for whoever carries it out: a person's stream may be long, and each step looks at it. Who
 * planned first is not known then.
 */
export const plannedCase: Decider<ErasureCase> = { ...erasureCase, beginsWith: ErasurePlanned };

const certificateOf = (
  { data }: { readonly data: Parts & { readonly certificate: string } },
  pieces: Met<string>,
): string => [...whole(pieces, data), data.certificate].join('');

const planOf = (event: RecordedEvent<(typeof ErasurePlanned)['fields']>, before: ErasureCase): Plan => {
  const { ownerId, ownerKind, erasureId, ground, planHash, summary, list, parts, items, salt, note } = event.data;
  const owner = ownerKind === 'subject' ? subjectOwner(ownerId as SubjectId) : companyOwner(ownerId as CompanyId);
  const same = before.status !== 'none' && before.plan.erasureId === erasureId ? before.plan : undefined;
  return {
    ...{ erasureId, owner, ground, planHash, summary, items, salt, note },
    parts: { list, parts },
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
