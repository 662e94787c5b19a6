import type { IQueryHandler } from '@nestjs/cqrs';
import { Query, QueryHandler } from '@nestjs/cqrs';
import type { ErasureId, Opened, OwnerRef } from '#kernel';
import { isEvent, Ledger } from '#ledger';
import { ErasureBoard } from './erasure-board.js';
import { erasureCase, erasureStream } from './erasure-case.js';
import type { PlannedScope } from './erasure.events.js';
import { ErasurePlanned } from './erasure.events.js';

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
    if (known) return this.#lastPlan(erasureId, known);
    const owner = await this.board.ownerOf(erasureId);
    const { state } = await this.ledger.load(erasureCase, erasureStream(owner));
    if (state.status === 'none' || state.plan.erasureId !== erasureId) return undefined;
    const { planHash, ground, items, note } = state.plan;
    return { erasureId, owner, planHash, ground, items, note };
  }

  async #lastPlan(erasureId: ErasureId, owner: OwnerRef): Promise<ErasurePlanView | undefined> {
    const events = await this.ledger.read(erasureStream(owner));
    const plan = events
      .filter((event) => isEvent(event, ErasurePlanned))
      .findLast(({ data }) => data.erasureId === erasureId);
    if (!plan) return undefined;
    const { planHash, ground, items, note } = plan.data;
    return { erasureId, owner, planHash, ground, items, note };
  }
}
