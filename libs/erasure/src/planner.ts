import { Injectable } from '@nestjs/common';
import type { Category } from '#events';
import type { Day, ErasureId, OwnerRef, ScopeId } from '#kernel';
import { Clock, osloDay } from '#kernel';
import { Ledger } from '#ledger';
import { planItem, Policy } from '#policy';
import type { AssessedHolding } from '#retention';
import { CurrentHoldings } from '#retention';
import type { ScopeInfo } from '#vault/shredder';
import { Shredder } from '#vault/shredder';
import type { PlannedScope } from './erasure.events.js';
import type { ComputedPlan } from './erasure-decisions.js';
import { planHash, planSummary } from './plan.js';

/** A plan with the scopes that it destroys. Scope ids stay in memory: they stand in no event. */
export interface ExecutablePlan extends ComputedPlan {
  readonly toShred: readonly ScopeId[];
}

/**
 * Computes what erasing an owner does to each of their scopes. The vault's list is the truth about which scopes there are;
 * the holdings say what the rules need to know of them.
 */
@Injectable()
export class ErasurePlanner {
  constructor(
    private readonly ledger: Ledger,
    private readonly holdings: CurrentHoldings,
    private readonly shredder: Shredder,
    private readonly policy: Policy,
    private readonly clock: Clock,
  ) {}

  /**
   * Throws `projection-behind`, `vault-unavailable`; and an error when the holdings lack a scope that stands in the log, or the
   * vault's list one whose key lives.
   */
  async compute(owner: OwnerRef, erasureId: ErasureId, salt: string): Promise<ExecutablePlan> {
    // The vault first: a scope that is minted after this list was made is met by the next computation, behind the fence.
    const listed = await this.shredder.scopesOf(owner);
    const scopes = listed.filter(({ state }) => state === 'live');
    const today = osloDay(this.clock.now());
    const held = new Map((await this.holdings.ofOwner(owner, today)).map((row) => [row.holding.scope_id, row]));
    await this.#assertListed(owner, listed, [...held.keys()]);
    const planned: { scopeId: ScopeId; item: PlannedScope }[] = [];
    for (const scope of scopes)
      planned.push({ scopeId: scope.scopeId, item: await this.#itemOf(scope, owner, erasureId, held, today) });
    const items = planned.map(({ item }) => item);
    // Before the plan is written, the scope that seals it is not there yet; it belongs to the plan all the same.
    if (!items.some((item) => isOwn(item, erasureId))) items.push(ownItem(erasureId));
    return {
      items,
      summary: planSummary(items),
      planHash: planHash(items, erasureId, salt),
      toShred: planned.filter(({ item }) => item.action === 'shred').map(({ scopeId }) => scopeId),
    };
  }

  /**
   * What the log knows under this owner's keys, in all streams, the vault must list: a key that it forgot to name would outlive the
   * erasure, and whoever counts what is left by the same list would not see it.
   */
  async #assertListed(owner: OwnerRef, listed: readonly ScopeInfo[], held: readonly ScopeId[]): Promise<void> {
    const missing = without(held, listed);
    if (missing.length === 0) return;
    // What came into being between the two lists is in a new one; a tombstone without a name is in none.
    const unnamed = without(missing, await this.shredder.scopesOf(owner));
    const states = await this.ledger.scopeStates(unnamed);
    if ([...states.values()].includes('live'))
      throw new Error('the vault does not list a scope whose key lives: nobody is erased by such a list');
  }

  async #itemOf(
    scope: ScopeInfo,
    owner: OwnerRef,
    erasureId: ErasureId,
    held: ReadonlyMap<ScopeId, AssessedHolding>,
    today: Day,
  ): Promise<PlannedScope> {
    const category = scope.category as Category;
    if (isOwn({ category, partition: scope.partition }, erasureId)) return ownItem(erasureId);
    const place = { category, partition: scope.partition };
    if (category === 'trace') return { ...place, action: 'shred', why: 'traces of reading end with the person' };
    const row = held.get(scope.scopeId) ?? (await this.#landedSince(scope, owner, today));
    if (row) return { ...place, ...planItem(this.policy, row.facts, today) };
    return { ...place, action: 'shred', why: 'a key that was made and never used' };
  }

  /**
   * A key without a holding was minted for an append that never landed, or that landed after the holdings were read: before
   * the fence others go on writing. That is looked up, not taken for granted: were the holdings at fault, a voucher that the
   * law keeps would be shredded here.
   */
  async #landedSince(
    { scopeId, stream }: ScopeInfo,
    owner: OwnerRef,
    today: Day,
  ): Promise<AssessedHolding | undefined> {
    const events = await this.ledger.read(stream);
    if (!events.some(({ envelope }) => scopeId in envelope.sealed)) return undefined;
    // They wait for all that stands in the log by now, and so for this event: what they still lack, they lack for good.
    const row = (await this.holdings.ofOwner(owner, today)).find(({ holding }) => holding.scope_id === scopeId);
    if (!row)
      throw new Error('the holdings lack a scope that stands in the log: rebuild them before anybody is erased');
    return row;
  }
}

const without = (scopeIds: readonly ScopeId[], listed: readonly ScopeInfo[]): readonly ScopeId[] => {
  const named = new Set(listed.map(({ scopeId }) => scopeId));
  return scopeIds.filter((scopeId) => !named.has(scopeId));
};

const isOwn = ({ category, partition }: Pick<PlannedScope, 'category' | 'partition'>, erasureId: ErasureId): boolean =>
  category === 'request' && partition === erasureId;

const ownItem = (erasureId: ErasureId): PlannedScope => ({
  category: 'request',
  partition: erasureId,
  action: 'shred',
  why: 'the list of what was erased goes with what it lists',
});
