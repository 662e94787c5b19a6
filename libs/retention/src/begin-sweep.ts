import type { ICommandHandler } from '@nestjs/cqrs';
import { Command, CommandHandler } from '@nestjs/cqrs';
import { Clock, currentContext, osloDay } from '#kernel';
import type { Position } from '#ledger';
import { Ledger } from '#ledger';
import { ClockGuard } from './clock-guard.js';
import { Due } from './due.js';
import type { Sweep } from './sweeps.js';
import { beginSweep, sweeps, SWEEPS_STREAM, waitingPlan } from './sweeps.js';

/**
 * Begins a sweep: one that goes on by itself, or a plan that waits for an approval when it is unusually large or the policy
 * is another than last time. Throws `clock-implausible`.
 */
export class BeginSweep extends Command<{ readonly sweep: Sweep; readonly position: Position }> {}

@CommandHandler(BeginSweep)
export class BeginSweepHandler implements ICommandHandler<BeginSweep> {
  constructor(
    private readonly ledger: Ledger,
    private readonly guard: ClockGuard,
    private readonly due: Due,
    private readonly clock: Clock,
  ) {}

  async execute(): Promise<{ sweep: Sweep; position: Position }> {
    const sweepId = currentContext().ids.next();
    await this.guard.assertConfirmed();
    const now = await this.due.on(osloDay(this.clock.now()));
    const { state, position } = await this.ledger.decide(sweeps, SWEEPS_STREAM, (present) =>
      beginSweep(present, sweepId, now),
    );
    const sweep = state.all.get(sweepId) ?? waitingPlan(state, now);
    if (!sweep) throw new Error('a sweep was neither begun nor is one waiting');
    return { sweep, position };
  }
}
