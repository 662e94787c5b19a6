import type { IQueryHandler } from '@nestjs/cqrs';
import { Query, QueryHandler } from '@nestjs/cqrs';
import type { ErasureId, Opened, OwnerRef } from '#kernel';
import { Ledger } from '#ledger';
import { ErasureBoard } from './erasure-board.js';
import type { Plan } from './erasure-case.js';
import { erasureCase, erasureStream } from './erasure-case.js';
import type { PlanLine, PlannedScope } from './erasure.events.js';
import { itemsAmong } from './plan-items.js';

/** The plan that holds now, item by item: ids, dates and reasons, and the note of whoever planned. */
export interface ErasurePlanView {
  readonly erasureId: ErasureId;
  readonly owner: OwnerRef;
  readonly planHash: string;
  readonly ground: string;
  /** Counts of all items, by category, action and law. */
  readonly summary: readonly PlanLine[];
  /** Erased together with what it lists. */
  readonly items: Opened<readonly PlannedScope[]>;
  readonly note: Opened<string | null>;
}

/**
 * Asks for a plan. Throws `not-found`; gives nothing for a plan that was given up. Whoever knows the `owner` is answered from
 * their stream alone, and with the plan as it last was, also when it was given up: as the first answer was.
 */
export class GetErasurePlan extends Query<ErasurePlanView | undefined> {
  constructor(
    readonly erasureId: ErasureId,
    readonly owner?: OwnerRef,
  ) {
    super();
  }
}

@QueryHandler(GetErasurePlan)
export class GetErasurePlanHandler implements IQueryHandler<GetErasurePlan> {
  constructor(
    private readonly ledger: Ledger,
    private readonly board: ErasureBoard,
  ) {}

  async execute({ erasureId, owner: known }: GetErasurePlan): Promise<ErasurePlanView | undefined> {
    const owner = known ?? (await this.board.ownerOf(erasureId));
    const events = await this.ledger.read(erasureStream(owner));
    let last: Plan | undefined;
    let state = erasureCase.initial;
    for (const event of events) {
      state = erasureCase.evolve(state, event);
      if (state.status !== 'none' && state.plan.erasureId === erasureId) last = state.plan;
    }
    const holds = state.status !== 'none' && state.plan.erasureId === erasureId;
    if (!last || (!known && !holds)) return undefined;
    const { planHash, ground, summary, note } = last;
    return { erasureId, owner, planHash, ground, summary, items: itemsAmong(events, last), note };
  }
}
