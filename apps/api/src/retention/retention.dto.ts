import type { Sweep } from '#retention';
import { CalendarDay, Flag } from '../http/fields.js';

export class SweepBody {
  @CalendarDay({ optional: true, description: 'The day to look at; only with dryRun' })
  asOf?: string;

  @Flag({ optional: true, description: 'Say what would be shredded, and shred nothing' })
  dryRun?: boolean;
}

/** A sweep as it stands. */
export const sweepAnswer = (sweep: Sweep) => ({
  sweepId: sweep.sweepId,
  state: sweep.state,
  due: { ...sweep.due },
  reason: sweep.reason ?? null,
  policyVersion: sweep.policyVersion,
  plannedAt: sweep.plannedAt.toISOString(),
  shredded: sweep.shredded ?? null,
});
