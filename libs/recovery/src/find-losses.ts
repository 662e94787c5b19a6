import type { ICommandHandler } from '@nestjs/cqrs';
import { Command, CommandHandler } from '@nestjs/cqrs';
import { currentContext } from '#kernel';
import type { Position } from '#ledger';
import { Ledger } from '#ledger';
import { VaultRecovery } from '#vault/operations';
import type { Loss } from './losses.js';
import { findLosses, losses, LOSSES_STREAM } from './losses.js';

/** Asks the vault behind its closed gate what is lost, and puts it on the table. Throws `nothing-lost`, `vault-unavailable`. */
export class FindLosses extends Command<{ readonly loss: Loss; readonly position: Position }> {}

@CommandHandler(FindLosses)
export class FindLossesHandler implements ICommandHandler<FindLosses> {
  constructor(
    private readonly ledger: Ledger,
    private readonly recovery: VaultRecovery,
  ) {}

  async execute(): Promise<{ loss: Loss; position: Position }> {
    const lossId = currentContext().ids.next();
    const report = await this.recovery.losses();
    const { state, position } = await this.ledger.decide(losses, LOSSES_STREAM, (now) =>
      findLosses(now, lossId, report),
    );
    return { loss: state.get(lossId)!, position };
  }
}
