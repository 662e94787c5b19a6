import type { ICommandHandler } from '@nestjs/cqrs';
import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ErasureId } from '#kernel';
import type { Position } from '#ledger';
import { Ledger } from '#ledger';
import { ErasureBoard } from './erasure-board.js';
import { erasureCase, erasureStream } from './erasure-case.js';
import { giveUpErasure } from './erasure-decisions.js';

/** Withdraws a plan. Throws `erasure-in-progress` once its execution was asked for, `not-found`. */
export class GiveUpErasure extends Command<{ readonly position: Position }> {
  constructor(readonly erasureId: ErasureId) {
    super();
  }
}

@CommandHandler(GiveUpErasure)
export class GiveUpErasureHandler implements ICommandHandler<GiveUpErasure> {
  constructor(
    private readonly ledger: Ledger,
    private readonly board: ErasureBoard,
  ) {}

  async execute({ erasureId }: GiveUpErasure): Promise<{ position: Position }> {
    const owner = await this.board.ownerOf(erasureId);
    const { position } = await this.ledger.decide(erasureCase, erasureStream(owner), (state) =>
      giveUpErasure(state, erasureId),
    );
    return { position };
  }
}
