import type { ICommandHandler } from '@nestjs/cqrs';
import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ErasureId } from '#kernel';
import type { Position } from '#ledger';
import { Ledger } from '#ledger';
import { Policy } from '#policy';
import { ErasureBoard } from './erasure-board.js';
import type { ErasureCase } from './erasure-case.js';
import { erasureCase, erasureStream } from './erasure-case.js';
import { requestExecution } from './erasure-decisions.js';

/** Asks for the execution of a plan; the steps follow by themselves. Says where it stands: asked again, it may be further. Throws `plan-not-approved`, `not-found`. */
export class RequestExecution extends Command<{ readonly position: Position; readonly state: ErasureCase['status'] }> {
  constructor(readonly erasureId: ErasureId) {
    super();
  }
}

@CommandHandler(RequestExecution)
export class RequestExecutionHandler implements ICommandHandler<RequestExecution> {
  constructor(
    private readonly ledger: Ledger,
    private readonly policy: Policy,
    private readonly board: ErasureBoard,
  ) {}

  async execute({ erasureId }: RequestExecution) {
    const owner = await this.board.ownerOf(erasureId);
    const { fourEyes } = this.policy.erasure;
    const { position, state } = await this.ledger.decide(erasureCase, erasureStream(owner), (now) =>
      requestExecution(now, erasureId, fourEyes),
    );
    return { position, state: state.status };
  }
}
