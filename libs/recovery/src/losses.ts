import type { Draft } from '#events';
import type { ActorId } from '#kernel';
import { MakulerError } from '#kernel';
import type { Decider, RecordedEvent } from '#ledger';
import { isEvent } from '#ledger';
import type { LossReport } from '#vault/operations';
import { LossesAccepted, LossesApproved, LossesFound } from './recovery.events.js';

/** What was found to be lost at one time. */
export interface Loss {
  readonly lossId: string;
  readonly state: 'found' | 'approved' | 'accepted';
  readonly report: LossReport;
  readonly foundBy: ActorId;
}

export type Losses = ReadonlyMap<string, Loss>;

export const LOSSES_STREAM = 'vault-losses';

export const losses: Decider<Losses> = {
  initial: new Map(),
  evolve(state: Losses, event: RecordedEvent): Losses {
    if (isEvent(event, LossesFound)) {
      const { lossId, hash, scopes, missingFrom: from, missingTo: to, doubt } = event.data;
      const missingEvents = from === null || to === null ? undefined : { from, to };
      const report = { hash, scopes, missingEvents, doubt: doubt ?? undefined };
      return new Map(state).set(lossId, { lossId, state: 'found', report, foundBy: event.metadata.actor });
    }
    if (isEvent(event, LossesApproved)) return moved(state, event.data.lossId, 'approved');
    return isEvent(event, LossesAccepted) ? moved(state, event.data.lossId, 'accepted') : state;
  },
};

const moved = (state: Losses, lossId: string, to: Loss['state']): Losses => {
  const loss = state.get(lossId);
  return loss ? new Map(state).set(lossId, { ...loss, state: to }) : state;
};

const countsOf = ({ scopes, missingEvents, doubt }: LossReport) => ({
  scopes,
  missingFrom: missingEvents?.from ?? null,
  missingTo: missingEvents?.to ?? null,
  doubt: doubt ?? null,
});

/** Puts what is lost on the table. Said again, says nothing. */
export const findLosses = (state: Losses, lossId: string, report: LossReport): Draft<any>[] =>
  state.has(lossId) ? [] : [LossesFound.of({ lossId, hash: report.hash, ...countsOf(report) })];

/**
 * Agrees to exactly what was found. Throws `not-found`, `plan-changed` for another hash, and `four-eyes` for whoever found
 * it: always, whatever the policy says of erasures.
 */
export const approveLosses = (state: Losses, lossId: string, hash: string, actor: ActorId): Draft<any>[] => {
  const loss = state.get(lossId);
  if (!loss) throw new MakulerError('not-found');
  if (loss.report.hash !== hash)
    throw new MakulerError('plan-changed', { facts: { lossId, hash: loss.report.hash, scopes: loss.report.scopes } });
  if (loss.foundBy === actor) throw new MakulerError('four-eyes');
  return loss.state === 'found' ? [LossesApproved.of({ lossId })] : [];
};

export const recordAcceptance = (state: Losses, lossId: string, report: LossReport): Draft<any>[] =>
  state.get(lossId)?.state === 'approved' ? [LossesAccepted.of({ lossId, ...countsOf(report) })] : [];
