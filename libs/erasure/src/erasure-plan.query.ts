import type { IQueryHandler } from '@nestjs/cqrs';
import { Query, QueryHandler } from '@nestjs/cqrs';
import type { ErasureId, Opened, OwnerRef } from '#kernel';
import { Ledger } from '#ledger';
import { ErasureBoard } from './erasure-board.js';
import { erasureCase, erasureStream } from './erasure-case.js';
import type { PlannedScope } from './erasure.events.js';

/** The plan that holds now, item by item: ids, dates and reasons, and the note of whoever planned. */
export interface ErasurePlanView {
  readonly erasureId: ErasureId;
  readonly owner: OwnerRef;
  readonly planHash: string;
  readonly ground: string;
  /** Erased together with what it lists. */
  readonly items: Opened<readonly PlannedScope[]>;
  readonly note: Opened<string | null>;
}

/** Asks for a plan. Throws `not-found`, also for a plan that was given up. */
export class GetErasurePlan extends Query<ErasurePlanView | undefined> {
  constructor(readonly erasureId: ErasureId) {
    super();
  }
}

@QueryHandler(GetErasurePlan)
export class GetErasurePlanHandler implements IQueryHandler<GetErasurePlan> {
  constructor(
    private readonly ledger: Ledger,
    private readonly board: ErasureBoard,
  ) {}

  async execute({ erasureId }: GetErasurePlan): Promise<ErasurePlanView | undefined> {
    const owner = await this.board.ownerOf(erasureId);
    const { state } = await this.ledger.load(erasureCase, erasureStream(owner));
    if (state.status === 'none' || state.plan.erasureId !== erasureId) return undefined;
    const { planHash, ground, items, note } = state.plan;
    return { erasureId, owner, planHash, ground, items, note };
  }
}
