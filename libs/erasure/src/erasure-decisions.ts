import type { Draft } from '#events';
import { SubjectErased } from '#events';
import type { ActorId, ErasureId, OwnerRef } from '#kernel';
import { MakulerError } from '#kernel';
import type { Certified, ErasureCase, Executed, Plan } from './erasure-case.js';
import { isUnderway } from './erasure-case.js';
import type { PlanLine, PlannedScope } from './erasure.events.js';
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
import type { Parts } from './parts.js';
import { beside, NO_PARTS } from './parts.js';

/** A plan as computed now, from the vault's list of scopes and the holdings. */
export interface ComputedPlan {
  readonly items: readonly PlannedScope[];
  readonly summary: readonly PlanLine[];
  readonly planHash: string;
}

export interface NewPlan extends ComputedPlan {
  readonly erasureId: ErasureId;
  readonly owner: OwnerRef;
  readonly ground: string;
  readonly salt: string;
  readonly note: string | null;
}

const planned = (plan: NewPlan, parts: Parts): Draft<any> => {
  const { erasureId, owner, ground, planHash, summary, items, salt, note } = plan;
  const about = { ownerId: owner.id, ownerKind: owner.kind, erasureId, ground, planHash, summary };
  return ErasurePlanned.of(
    { ...about, ...parts, items: beside(parts, items), salt, note },
    { partitions: { request: erasureId } },
  );
};

/** Throws `not-found` for a stream without events, and `erasure-in-progress` or `subject-closed` when another erasure stands in it. */
export const refuseSecondErasure = (state: ErasureCase, erasureId: ErasureId): void => {
  if (state.status === 'none') {
    if (!state.ownerKnown) throw new MakulerError('not-found');
    return;
  }
  if (state.plan.erasureId === erasureId) return;
  if (state.status === 'erased' || state.status === 'executed' || state.status === 'verified')
    throw new MakulerError('subject-closed');
  throw new MakulerError('erasure-in-progress', { facts: { erasureId: state.plan.erasureId } });
};

/** Puts a plan on the table; `parts` names its items if they were recorded before. Said again, says nothing. Throws what `refuseSecondErasure` throws. */
export const planErasure = (state: ErasureCase, plan: NewPlan, parts = NO_PARTS): Draft<any>[] => {
  refuseSecondErasure(state, plan.erasureId);
  return state.status === 'none' ? [planned(plan, parts)] : [];
};

/**
 * Replaces the plan of this erasure by one computed now, under the same id; an approval of the old one is void. Says nothing if it is the
 * same, or if another erasure has been planned since.
 */
export const replan = (state: ErasureCase, erasureId: ErasureId, now: ComputedPlan, parts = NO_PARTS): Draft<any>[] => {
  if (state.status !== 'planned' && state.status !== 'approved') return [];
  if (state.plan.erasureId !== erasureId) return [];
  if (state.plan.planHash === now.planHash) return [];
  return [planned(replacing(state.plan, now), parts)];
};

const replacing = ({ erasureId, owner, ground, salt, note }: Plan, now: ComputedPlan): NewPlan => {
  if (salt.state !== 'value' || note.state !== 'value') throw new MakulerError('subject-closed');
  return { erasureId, owner, ground, salt: salt.reveal(), note: note.reveal(), ...now };
};

/**
 * The case of this very erasure. Throws `not-found` when another one, or none, stands in the stream: what was said of a plan
 * that was given up must not meet the plan that came after it.
 */
const caseOf = (state: ErasureCase, erasureId: ErasureId): Exclude<ErasureCase, { status: 'none' }> => {
  if (state.status === 'none' || state.plan.erasureId !== erasureId) throw new MakulerError('not-found');
  return state;
};

export interface Approval {
  readonly planHash: string;
  readonly actor: ActorId;
  readonly fourEyes: boolean;
}

/** Agrees to the plan with this hash. Throws `plan-changed` (with the hash that holds), `four-eyes`, `not-found`. */
export const approveErasure = (
  present: ErasureCase,
  erasureId: ErasureId,
  { planHash, actor, fourEyes }: Approval,
): Draft<any>[] => {
  const state = caseOf(present, erasureId);
  const { plan } = state;
  if (plan.planHash !== planHash) throw planChanged(plan);
  if (fourEyes && actor === plan.plannedBy) throw new MakulerError('four-eyes');
  return state.status === 'planned' ? [ErasureApproved.of({ ownerId: plan.owner.id, erasureId, planHash })] : [];
};

/**
 * The refusal that says which plan holds now, as counts: a refusal goes out without purpose or trace, so the items are
 * read where a plan is.
 */
export const planChanged = (plan: Pick<Plan, 'erasureId' | 'planHash' | 'summary'>): MakulerError =>
  new MakulerError('plan-changed', {
    facts: {
      erasureId: plan.erasureId,
      planHash: plan.planHash,
      summary: plan.summary,
      plan: `/v1/erasures/${plan.erasureId}/plan`,
    },
  });

/** Asks for the execution. Throws `plan-not-approved` where the policy wants four eyes, `not-found`. Asked again: says nothing. */
export const requestExecution = (present: ErasureCase, erasureId: ErasureId, fourEyes: boolean): Draft<any>[] => {
  const state = caseOf(present, erasureId);
  if (state.status === 'planned' && fourEyes) throw new MakulerError('plan-not-approved');
  if (state.status !== 'planned' && state.status !== 'approved') return [];
  const { owner } = state.plan;
  return [ErasureExecutionRequested.of({ ownerId: owner.id, ownerKind: owner.kind, erasureId })];
};

/** Withdraws a plan of which nothing was begun. Throws `not-found`, and `erasure-in-progress` once execution was asked for. */
export const giveUpErasure = (present: ErasureCase, erasureId: ErasureId): Draft<any>[] => {
  const state = caseOf(present, erasureId);
  if (state.status !== 'planned' && state.status !== 'approved') throw new MakulerError('erasure-in-progress');
  return [ErasureGivenUp.of({ ownerId: state.plan.owner.id, erasureId })];
};

/** Closes the owner to new commands, and reserves the shred order. */
export const fenceOwner = (state: ErasureCase, orderId: string): Draft<any>[] =>
  state.status === 'requested'
    ? [ErasureFenced.of({ ownerId: state.plan.owner.id, erasureId: state.plan.erasureId, orderId })]
    : [];

/** Behind the fence the plan is another: back to a plan, which needs its own approval and its own request to execute. */
export const stopErasure = (state: ErasureCase, orderId: string, now: ComputedPlan, parts = NO_PARTS): Draft<any>[] =>
  state.status === 'fenced' && state.orderId === orderId
    ? [
        ErasureStopped.of({ ownerId: state.plan.owner.id, erasureId: state.plan.erasureId }),
        planned(replacing(state.plan, now), parts),
      ]
    : [];

/** Notes that a step is being repeated, once for each step and code. */
export const noteDelay = (state: ErasureCase, step: string, code: string): Draft<any>[] =>
  isUnderway(state) && !state.delayed.includes(`${step}:${code}`)
    ? [ErasureDelayed.of({ ownerId: state.plan.owner.id, erasureId: state.plan.erasureId, step, code })]
    : [];

/**
 * Records what the vault has destroyed. `subject.erased` and the details stand together or not at all, so a projection
 * that has forgotten the person always knows since when.
 */
export const recordExecution = (state: ErasureCase, receipt: Executed, parts = NO_PARTS): Draft<any>[] => {
  if (state.status !== 'fenced' || state.orderId !== receipt.orderId) return [];
  const { owner, erasureId, summary } = state.plan;
  const categories: Record<string, number> = {};
  for (const { category } of receipt.destroyed) categories[category] = (categories[category] ?? 0) + 1;
  const retained = [...new Set(summary.filter((line) => line.action !== 'shred').map((line) => line.category))];
  const { liveErasedAt, destroyed } = receipt;
  return [
    SubjectErased.of({ ownerId: owner.id, ownerKind: owner.kind, categories, retained }),
    ErasureExecuted.of({ ownerId: owner.id, erasureId, liveErasedAt, ...parts, destroyed: beside(parts, destroyed) }),
  ];
};

export const recordVerification = (state: ErasureCase): Draft<any>[] =>
  state.status === 'executed'
    ? [ErasureVerified.of({ ownerId: state.plan.owner.id, erasureId: state.plan.erasureId })]
    : [];

/** What a certificate says of backups, with the certificate itself. */
export type IssuedCertificate = Pick<Certified, 'certificate' | 'backupsClearedBy' | 'epoch'>;

export const recordCertificate = (state: ErasureCase, issued: IssuedCertificate, parts = NO_PARTS): Draft<any>[] => {
  if (state.status !== 'verified') return [];
  const { erasureId, owner } = state.plan;
  return [ErasureCertified.of({ ownerId: owner.id, erasureId, ...withParts(issued, parts) })];
};

/** A certificate as its event holds it: in it, or in parts beside it. */
export const withParts = <T extends Pick<IssuedCertificate, 'certificate'>>(issued: T, parts: Parts): T & Parts => ({
  ...issued,
  ...parts,
  certificate: parts.parts === 0 ? issued.certificate : '',
});
