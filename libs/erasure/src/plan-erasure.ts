import { randomBytes } from 'node:crypto';
import type { ICommandHandler } from '@nestjs/cqrs';
import { Command, CommandHandler } from '@nestjs/cqrs';
import { company, companyStream, countsAsPerson, openCompanyCard, requireCompany } from '#companies';
import { customer, customerStream } from '#customers';
import type { CompanyId, CustomerId, ErasureId, OwnerRef } from '#kernel';
import { currentContext, MakulerError } from '#kernel';
import type { Position } from '#ledger';
import { Ledger } from '#ledger';
import { Policy } from '#policy';
import { erasureCase, erasureStream } from './erasure-case.js';
import { planErasure, refuseSecondErasure } from './erasure-decisions.js';
import { NO_PARTS } from './parts.js';
import { ErasurePlanner } from './planner.js';
import { recordItems } from './record-parts.js';

export interface ErasurePlanning {
  readonly erasureId: ErasureId;
  readonly planHash: string;
  readonly position: Position;
}

/**
 * Plans an erasure; nothing happens yet. `ground` is one of the policy's. Throws `invalid-input`, `not-found`,
 * `not-erasable` (a company that is no sole proprietorship), `erasure-in-progress`, `subject-closed`.
 */
export class PlanErasure extends Command<ErasurePlanning> {
  constructor(
    readonly owner: OwnerRef,
    readonly ground: string,
    readonly note: string | null = null,
  ) {
    super();
  }
}

@CommandHandler(PlanErasure)
export class PlanErasureHandler implements ICommandHandler<PlanErasure> {
  constructor(
    private readonly ledger: Ledger,
    private readonly planner: ErasurePlanner,
    private readonly policy: Policy,
  ) {}

  async execute({ owner, ground, note }: PlanErasure): Promise<ErasurePlanning> {
    const erasureId = currentContext().ids.next<ErasureId>();
    this.#assertGround(ground);
    const { state } = await this.ledger.load(erasureCase, erasureStream(owner));
    refuseSecondErasure(state, erasureId);
    if (owner.kind === 'company') await this.#assertPerson(owner.id);
    else await this.#assertKnown(owner.id as CustomerId);
    const salt = randomBytes(32).toString('hex');
    const plan = { ...(await this.planner.compute(owner, erasureId, salt)), erasureId, owner, ground, salt, note };
    // The same command again: nothing will be planned, so nothing is recorded for it.
    const parts = state.status === 'none' ? await recordItems(this.ledger, plan, plan.items) : NO_PARTS;
    const decided = await this.ledger.decide(erasureCase, erasureStream(owner), (now) => planErasure(now, plan, parts));
    // Said again after a crash, the plan that stands in the log is the one that counts, with its own salt.
    const planHash = decided.state.status === 'none' ? plan.planHash : decided.state.plan.planHash;
    return { erasureId, planHash, position: decided.position };
  }

  #assertGround(ground: string): void {
    const grounds = this.policy.erasure.grounds.map(({ id }) => id);
    if (grounds.includes(ground)) return;
    const message = `give one of ${grounds.join(', ')}`;
    throw new MakulerError('invalid-input', { errors: [{ path: 'ground', code: 'ground', message }] });
  }

  /** A plan is an event under a key of its own: of nobody, it would be the first thing that we keep under that id. */
  async #assertKnown(customerId: CustomerId): Promise<void> {
    const { state } = await this.ledger.load(customer, customerStream(customerId));
    if (state.status === 'unknown') throw new MakulerError('not-found');
  }

  async #assertPerson(companyId: CompanyId): Promise<void> {
    const { state } = await this.ledger.load(company, companyStream(companyId));
    if (!countsAsPerson(openCompanyCard(requireCompany(state)).legalForm)) throw new MakulerError('not-erasable');
  }
}
