import type { Draft } from '#events';
import type { ActorId } from '#kernel';
import { MakulerError } from '#kernel';
import type { Decider, RecordedEvent } from '#ledger';
import { isEvent } from '#ledger';
import type { CategoryCounts } from './retention.events.js';
import { SweepApproved, SweepFinished, SweepPlanned, SweepRequested } from './retention.events.js';

/** One sweep over everybody. */
export interface Sweep {
  readonly sweepId: string;
  readonly state: 'requested' | 'planned' | 'approved' | 'finished';
  readonly due: CategoryCounts;
  readonly reason: 'large' | 'policy-changed' | undefined;
  /** Who began it: a plan that was made anew when it was about to run is still theirs. */
  readonly plannedBy: ActorId;
  readonly plannedAt: Date;
  readonly policyVersion: string;
  readonly shredded: number | undefined;
}

/** All sweeps, and the policy under which the last one went through. */
export interface Sweeps {
  readonly all: ReadonlyMap<string, Sweep>;
  readonly lastPolicyVersion: string | undefined;
}

export const SWEEPS_STREAM = 'retention-sweeps';

export const sweeps: Decider<Sweeps> = {
  initial: { all: new Map(), lastPolicyVersion: undefined },
  evolve(state: Sweeps, event: RecordedEvent): Sweeps {
    if (isEvent(event, SweepRequested)) return withSweep(state, begun(state, event, 'requested', undefined));
    if (isEvent(event, SweepPlanned)) return withSweep(state, begun(state, event, 'planned', event.data.reason));
    if (isEvent(event, SweepApproved)) return changed(state, event.data.sweepId, { state: 'approved' });
    if (!isEvent(event, SweepFinished)) return state;
    const { sweepId, shredded } = event.data;
    return {
      ...changed(state, sweepId, { state: 'finished', shredded }),
      lastPolicyVersion: event.metadata.policyVersion,
    };
  },
};

const changed = (state: Sweeps, sweepId: string, change: Partial<Sweep>): Sweeps => {
  const sweep = state.all.get(sweepId);
  return sweep ? withSweep(state, { ...sweep, ...change }) : state;
};

const begun = (
  { all }: Sweeps,
  event: RecordedEvent<(typeof SweepRequested)['fields']>,
  now: 'requested' | 'planned',
  reason: Sweep['reason'],
): Sweep => ({
  ...{ sweepId: event.data.sweepId, state: now, due: event.data.due, reason, shredded: undefined },
  plannedBy: all.get(event.data.sweepId)?.plannedBy ?? event.metadata.actor,
  plannedAt: event.at,
  policyVersion: event.metadata.policyVersion,
});

const withSweep = (state: Sweeps, sweep: Sweep): Sweeps => ({
  ...state,
  all: new Map(state.all).set(sweep.sweepId, sweep),
});

const totalOf = (due: CategoryCounts): number => Object.values(due).reduce((sum, count) => sum + count, 0);

/** What is due now, of everybody. */
export interface DueNow {
  readonly due: CategoryCounts;
  /** How many of them nobody has agreed to yet; the others were approved with the plan of an erasure. */
  readonly unapproved: number;
  readonly policyVersion: string;
  /** Whether so many are more than the policy lets pass unseen. */
  readonly large: boolean;
}

/** Why a sweep waits for an approval; undefined when it may go on by itself. */
const reasonToWait = ({ lastPolicyVersion }: Sweeps, { unapproved, policyVersion, large }: DueNow): Sweep['reason'] => {
  if (unapproved === 0) return undefined;
  if (lastPolicyVersion !== undefined && lastPolicyVersion !== policyVersion) return 'policy-changed';
  return large ? 'large' : undefined;
};

/** Begins a sweep: by itself, or as a plan that waits. A plan that waits already and covers what is due now is not made twice. */
export const beginSweep = (state: Sweeps, sweepId: string, now: DueNow): Draft<any>[] => {
  if (state.all.has(sweepId)) return [];
  const reason = reasonToWait(state, now);
  if (reason === undefined) return [SweepRequested.of({ sweepId, due: now.due })];
  return waitingPlan(state, now) ? [] : [SweepPlanned.of({ sweepId, due: now.due, reason })];
};

/** The plan that waits for an approval and covers what is due now. */
export const waitingPlan = (state: Sweeps, { due, policyVersion }: DueNow): Sweep | undefined =>
  [...state.all.values()].find(
    (sweep) => sweep.state === 'planned' && sweep.policyVersion === policyVersion && totalOf(sweep.due) >= totalOf(due),
  );

/** Agrees to a planned sweep. Throws `not-found`, `four-eyes`. */
export const approveSweep = (state: Sweeps, sweepId: string, actor: ActorId): Draft<any>[] => {
  const sweep = state.all.get(sweepId);
  if (!sweep) throw new MakulerError('not-found');
  if (sweep.state !== 'planned') return [];
  if (sweep.plannedBy === actor) throw new MakulerError('four-eyes');
  return [SweepApproved.of({ sweepId })];
};

/**
 * Looks again when the sweep is about to destroy: more than was approved, or another policy than then, and it is a plan that
 * waits once more.
 */
export const reconsiderSweep = (state: Sweeps, sweepId: string, now: DueNow): Draft<any>[] => {
  const sweep = state.all.get(sweepId);
  if (sweep?.state === 'approved') {
    if (sweep.policyVersion === now.policyVersion && totalOf(now.due) <= totalOf(sweep.due)) return [];
    const reason = sweep.policyVersion === now.policyVersion ? 'large' : 'policy-changed';
    return [SweepPlanned.of({ sweepId, due: now.due, reason })];
  }
  const reason = reasonToWait(state, now);
  return sweep?.state === 'requested' && reason !== undefined
    ? [SweepPlanned.of({ sweepId, due: now.due, reason })]
    : [];
};

/** Whether the sweep may destroy. */
export const mayRun = (state: Sweeps, sweepId: string): boolean => {
  const sweep = state.all.get(sweepId);
  return sweep?.state === 'requested' || sweep?.state === 'approved';
};

export const finishSweep = (state: Sweeps, sweepId: string, shredded: number): Draft<any>[] =>
  mayRun(state, sweepId) ? [SweepFinished.of({ sweepId, shredded })] : [];
