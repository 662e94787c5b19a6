import type { ICommandHandler } from '@nestjs/cqrs';
import { Command, CommandHandler } from '@nestjs/cqrs';
import { currentContext } from '#kernel';
import type { Position } from '#ledger';
import { Ledger } from '#ledger';
import { approveSweep, sweeps, SWEEPS_STREAM } from './sweeps.js';

/** Agrees to a sweep that waits. Throws `not-found`, and `four-eyes` for whoever began it. */
export class ApproveSweep extends Command<{ readonly position: Position }> {
  constructor(readonly sweepId: string) {
    super();
  }
}

@CommandHandler(ApproveSweep)
export class ApproveSweepHandler implements ICommandHandler<ApproveSweep> {
  constructor(private readonly ledger: Ledger) {}

  async execute({ sweepId }: ApproveSweep): Promise<{ position: Position }> {
    const { actor } = currentContext();
    const { position } = await this.ledger.decide(sweeps, SWEEPS_STREAM, (state) =>
      approveSweep(state, sweepId, actor),
    );
    return { position };
  }
}
