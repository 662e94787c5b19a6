import type { Clearing } from '../../operations-contract.js';
import type { CustodianState } from '../custodian/custodian-state.js';
import type { EpochRow } from './epoch-table.js';

export interface ClearingFacts {
  /** The highest epoch that ever wrapped what was destroyed; 0 when nothing was. */
  readonly epoch: number;
  readonly liveErasedAt: Date | undefined;
  /** The epoch of the vault's row. */
  readonly current: number;
  readonly custodian: CustodianState;
  readonly table: readonly EpochRow[];
  readonly nextSealAt: Date;
  readonly windowMs: number;
}

/** When the last root that could open a copy is destroyed, or was. Pure. */
export const clearingOf = ({ epoch, custodian: { epochs, retiring, mirrors }, ...facts }: ClearingFacts): Clearing => {
  const left = epochs.filter((one) => one <= epoch);
  const latest = (dates: readonly (Date | undefined)[]): string =>
    new Date(Math.max(...dates.map((date) => date?.getTime() ?? 0))).toISOString();
  if (left.length === 0 && facts.current > epoch) {
    const gone = facts.table.flatMap((row) => (row.epoch <= epoch && row.destroyed_at ? [row.destroyed_at] : []));
    const clearedAt = latest([...gone, facts.liveErasedAt]);
    return { epoch, plannedFor: clearedAt, clearedAt, mirrors: mirrors.length };
  }
  const plannedAt = (one: number): Date => {
    const sealed = retiring.find((other) => other.epoch === one);
    return sealed ? new Date(sealed.destroyAt) : new Date(facts.nextSealAt.getTime() + facts.windowMs);
  };
  return { epoch, plannedFor: latest(left.map(plannedAt)), clearedAt: undefined, mirrors: mirrors.length };
};

/**
 * The latest moment at which the next planned seal begins. One that is overdue (nothing was shredded when its time came) is
 * due at the latest one interval from now: which phase the schedule has is its caller's affair.
 */
export const nextSealAt = (openedAt: Date, sealEveryMs: number, now: Date): Date => {
  const planned = openedAt.getTime() + sealEveryMs;
  return new Date(planned > now.getTime() ? planned : now.getTime() + sealEveryMs);
};
