import type { ICommandHandler } from '@nestjs/cqrs';
import { Command, CommandHandler } from '@nestjs/cqrs';
import { currentContext } from '#kernel';
import type { Position } from '#ledger';
import { Ledger } from '#ledger';
import { ProjectionStates } from '#projections';
import { VaultRecovery } from '#vault/operations';
import type { Loss } from './losses.js';
import { approveLosses, losses, LOSSES_STREAM, recordAcceptance } from './losses.js';

/**
 * Agrees to what was found to be lost, and has the vault accept it: its gate opens, and the read models are made again. The approval stands in the log before
 * anything is changed; cut off in between, saying it again goes on. Throws `not-found`, `plan-changed` (something else is
 * lost than what was found), `four-eyes`, `nothing-lost`, `vault-unavailable`.
 */
export class ApproveLosses extends Command<{ readonly loss: Loss; readonly position: Position }> {
  constructor(
    readonly lossId: string,
    readonly hash: string,
  ) {
    super();
  }
}

@CommandHandler(ApproveLosses)
export class ApproveLossesHandler implements ICommandHandler<ApproveLosses> {
  constructor(
    private readonly ledger: Ledger,
    private readonly recovery: VaultRecovery,
    private readonly projections: ProjectionStates,
  ) {}

  async execute({ lossId, hash }: ApproveLosses): Promise<{ loss: Loss; position: Position }> {
    const { actor } = currentContext();
    await this.ledger.decide(losses, LOSSES_STREAM, (now) => approveLosses(now, lossId, hash, actor));
    const report = await this.recovery.acceptLosses(hash);
    // Ids that lost fields had told stand in the rows still: what is lost is lost there too, as after any later rebuild.
    for (const { name, kind } of await this.projections.list(await this.ledger.head()))
      if (kind === 'projection') await this.projections.requestRebuild(name);
    const { state, position } = await this.ledger.decide(losses, LOSSES_STREAM, (now) =>
      recordAcceptance(now, lossId, report),
    );
    return { loss: state.get(lossId)!, position };
  }
}
