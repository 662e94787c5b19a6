import type { ICommandHandler } from '@nestjs/cqrs';
import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ErasureId } from '#kernel';
import type { Position } from '#ledger';
import { Ledger } from '#ledger';
import { Policy } from '#policy';
import { ErasureBoard } from './erasure-board.js';
import { erasureCase, erasureStream } from './erasure-case.js';
import { requestExecution } from './erasure-decisions.js';

/** Asks for the execution of a plan; the steps follow by themselves. Throws `plan-not-approved`, `not-found`. */
export class RequestExecution extends Command<{ readonly position: Position }> {
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

  async execute({ erasureId }: RequestExecution): Promise<{ position: Position }> {
    const owner = await this.board.ownerOf(erasureId);
    const { fourEyes } = this.policy.erasure;
    const { position } = await this.ledger.decide(erasureCase, erasureStream(owner), (state) =>
      requestExecution(state, fourEyes),
    );
    return { position };
  }
}
