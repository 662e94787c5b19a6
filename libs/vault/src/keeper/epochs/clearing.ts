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
  const lost = facts.table.flatMap((row) => (row.epoch <= epoch && row.lost_at ? [row.lost_at] : []));
  // Nobody has seen these roots destroyed: there is no date from which it could be attested, however long ago they went.
  if (lost.length > 0) return { epoch, plannedFor: latest(lost), clearedAt: undefined, mirrors: mirrors.length };
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

/** What a planned seal may take to begin and to end: nobody is promised a date that counts from one which is so near. */
const LEAD_MS = 15 * 60_000;

/**
 * By when the next planned seal is over. One that is overdue (nothing was shredded when its time came), or about to come (the
 * look at the schedule may just have passed), is promised for one interval from now: it comes earlier, and never later.
 */
export const nextSealAt = (openedAt: Date, sealEveryMs: number, now: Date): Date => {
  const planned = openedAt.getTime() + sealEveryMs;
  const lead = Math.min(LEAD_MS, sealEveryMs / 2);
  return new Date(planned - now.getTime() > lead ? planned : now.getTime() + sealEveryMs);
};
