import type { ICommandHandler } from '@nestjs/cqrs';
import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ErasureId } from '#kernel';
import { currentContext } from '#kernel';
import type { Position } from '#ledger';
import { Ledger } from '#ledger';
import { Policy } from '#policy';
import { ErasureBoard } from './erasure-board.js';
import type { ErasureCase } from './erasure-case.js';
import { erasureCase, erasureStream } from './erasure-case.js';
import { approveErasure, planChanged, replan } from './erasure-decisions.js';
import { recordItems } from './record-parts.js';
import { ErasurePlanner } from './planner.js';

/**
 * Agrees to the plan with this hash. The plan is computed anew first: what is approved is what would happen now. Throws
 * `plan-changed` with the new plan's hash and counts, `four-eyes` where the policy asks for another person, `not-found`.
 */
export class ApproveErasure extends Command<{ readonly position: Position; readonly state: ErasureCase['status'] }> {
  constructor(
    readonly erasureId: ErasureId,
    readonly planHash: string,
  ) {
    super();
  }
}

@CommandHandler(ApproveErasure)
export class ApproveErasureHandler implements ICommandHandler<ApproveErasure> {
  constructor(
    private readonly ledger: Ledger,
    private readonly planner: ErasurePlanner,
    private readonly policy: Policy,
    private readonly board: ErasureBoard,
  ) {}

  async execute({ erasureId, planHash }: ApproveErasure) {
    const owner = await this.board.ownerOf(erasureId);
    const stream = erasureStream(owner);
    const { state } = await this.ledger.load(erasureCase, stream);
    if (state.status === 'planned' && state.plan.erasureId === erasureId && state.plan.salt.state === 'value') {
      const now = await this.planner.compute(owner, erasureId, state.plan.salt.reveal());
      if (now.planHash !== state.plan.planHash) {
        const parts = await recordItems(this.ledger, state.plan, now.items);
        const replanned = await this.ledger.decide(erasureCase, stream, (current) =>
          replan(current, erasureId, now, parts),
        );
        if (replanned.written > 0 && replanned.state.status === 'planned') throw planChanged(replanned.state.plan);
      }
    }
    const approval = { planHash, actor: currentContext().actor, fourEyes: this.policy.erasure.fourEyes };
    const approved = await this.ledger.decide(erasureCase, stream, (now) => approveErasure(now, erasureId, approval));
    return { position: approved.position, state: approved.state.status };
  }
}
