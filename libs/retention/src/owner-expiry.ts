import { Injectable } from '@nestjs/common';
import type { Day, OwnerRef } from '#kernel';
import { newId } from '#kernel';
import { Ledger } from '#ledger';
import type { ShredReceipt } from '#vault/shredder';
import { Shredder } from '#vault/shredder';
import { ClockGuard } from './clock-guard.js';
import { CurrentHoldings } from './current-holdings.js';
import { expiry, orderExpiry, ownStream, recordExpiry } from './expiry.js';
import type { Holding } from './holding.js';
import type { CategoryCounts } from './retention.events.js';

/** How many of each category. */
export const countByCategory = (rows: readonly { readonly category: string }[]): CategoryCounts => {
  const counts: Record<string, number> = {};
  for (const { category } of rows) counts[category] = (counts[category] ?? 0) + 1;
  return counts;
};

/**
 * Destroys what of one owner is due. The order is reserved in the owner's stream, carried out once behind a fence of its
 * own, and recorded; killed anywhere in between, the next run finds it and goes on.
 */
@Injectable()
export class OwnerExpiry {
  constructor(
    private readonly ledger: Ledger,
    private readonly holdings: CurrentHoldings,
    private readonly shredder: Shredder,
    private readonly guard: ClockGuard,
  ) {}

  /** Runs inside `inContext`. Gives how many keys were destroyed. Throws `vault-unavailable`, `projection-behind`. */
  async run(owner: OwnerRef, today: Day): Promise<number> {
    // Looked at again for each owner: what was due when the sweep was counted may be held by now.
    const due = await this.#due(owner, today);
    const { state } = await this.ledger.load(expiry, ownStream(owner));
    if (state.erasing || (due.length === 0 && state.openOrder === undefined)) return 0;
    const orderId = state.openOrder ?? (await this.#order(owner, countByCategory(due)));
    if (orderId === undefined) return 0;
    const receipt =
      (await this.shredder.receiptOf(orderId)) ?? (await this.#shredBehindFence(owner, orderId, today, state.erased));
    if (!receipt) return 0;
    // All before the event: after it nothing is left that would make the next run look at this owner.
    await this.shredder.release(owner, orderId);
    if (state.erased) await this.#closeIfEmpty(owner, orderId);
    const { destroyed } = receipt;
    await this.ledger.decide(expiry, ownStream(owner), (now) =>
      recordExpiry(now, owner, orderId, countByCategory(destroyed)),
    );
    return destroyed.length;
  }

  async #due(owner: OwnerRef, today: Day): Promise<readonly Holding[]> {
    const rows = await this.holdings.ofOwner(owner, today);
    return rows.filter(({ assessment }) => assessment.state === 'due').map(({ holding }) => holding);
  }

  async #order(owner: OwnerRef, counts: CategoryCounts): Promise<string | undefined> {
    const orderId = newId();
    const { state } = await this.ledger.decide(expiry, ownStream(owner), (now) =>
      orderExpiry(now, owner, orderId, counts),
    );
    return state.openOrder;
  }

  /**
   * What is due is decided behind the fence: a purchase that came in since would hold what the sweep still took for due.
   * With nothing left the order is carried out all the same, so that it is over for every other worker that still holds it.
   */
  async #shredBehindFence(
    owner: OwnerRef,
    orderId: string,
    today: Day,
    erased: boolean,
  ): Promise<ShredReceipt | undefined> {
    const kind = erased ? 'erasure' : 'expiry';
    await this.shredder.fence({ orderId, owner, kind, except: [] });
    try {
      const { state } = await this.ledger.load(expiry, ownStream(owner));
      if (state.openOrder === orderId && !state.erasing && state.erased === erased) {
        const scopeIds = (await this.#due(owner, today)).map((holding) => holding.scope_id);
        await this.guard.assertConfirmed();
        return await this.shredder.shred({ orderId, owner, scopeIds, kind });
      }
    } catch (error) {
      // Nobody may be shut out until the next run comes by; it puts the fence up again.
      await this.shredder.release(owner, orderId).catch(() => undefined);
      throw error;
    }
    await this.shredder.release(owner, orderId);
    return undefined;
  }

  async #closeIfEmpty(owner: OwnerRef, orderId: string): Promise<void> {
    const scopes = await this.shredder.scopesOf(owner);
    if (scopes.every(({ state }) => state !== 'live')) await this.shredder.closeForEver(owner, orderId);
  }
}
