import { Injectable } from '@nestjs/common';
import type { Day, OwnerRef } from '#kernel';
import { newId } from '#kernel';
import { Ledger } from '#ledger';
import { Shredder } from '#vault/shredder';
import { CurrentHoldings } from './current-holdings.js';
import { expiry, orderExpiry, ownStream, recordExpiry } from './expiry.js';
import type { CategoryCounts } from './retention.events.js';

/** How many of each category. */
export const countByCategory = (rows: readonly { readonly category: string }[]): CategoryCounts => {
  const counts: Record<string, number> = {};
  for (const { category } of rows) counts[category] = (counts[category] ?? 0) + 1;
  return counts;
};

/**
 * Destroys what of one owner is due. The order is reserved in the owner's stream, carried out once, and recorded; killed
 * anywhere in between, the next run finds it and goes on.
 */
@Injectable()
export class OwnerExpiry {
  constructor(
    private readonly ledger: Ledger,
    private readonly holdings: CurrentHoldings,
    private readonly shredder: Shredder,
  ) {}

  /** Runs inside `inContext`. Gives how many keys were destroyed. Throws `vault-unavailable`, `projection-behind`. */
  async run(owner: OwnerRef, today: Day): Promise<number> {
    // Looked at again for each owner, immediately before: what was due when the sweep was counted may be held by now.
    const rows = await this.holdings.ofOwner(owner, today);
    const due = rows.filter(({ assessment }) => assessment.state === 'due').map(({ holding }) => holding);
    const { state } = await this.ledger.load(expiry, ownStream(owner));
    if (state.erasing || (due.length === 0 && state.openOrder === undefined)) return 0;
    const orderId = state.openOrder ?? (await this.#order(owner, countByCategory(due)));
    if (orderId === undefined) return 0;
    const scopeIds = due.map((holding) => holding.scope_id);
    const kind = state.erased ? 'erasure' : 'expiry';
    const receipt =
      (await this.shredder.receiptOf(orderId)) ??
      (due.length > 0 ? await this.shredder.shred({ orderId, owner, scopeIds, kind }) : undefined);
    const destroyed = receipt?.destroyed ?? [];
    // Before the event: after it nothing is left that would make the next run look at this owner.
    if (state.erased) await this.#closeIfEmpty(owner);
    await this.ledger.decide(expiry, ownStream(owner), (now) =>
      recordExpiry(now, owner, orderId, countByCategory(destroyed)),
    );
    return destroyed.length;
  }

  async #order(owner: OwnerRef, counts: CategoryCounts): Promise<string | undefined> {
    const orderId = newId();
    const { state } = await this.ledger.decide(expiry, ownStream(owner), (now) =>
      orderExpiry(now, owner, orderId, counts),
    );
    return state.openOrder;
  }

  async #closeIfEmpty(owner: OwnerRef): Promise<void> {
    const scopes = await this.shredder.scopesOf(owner);
    if (scopes.every(({ state }) => state !== 'live')) await this.shredder.closeForEver(owner);
  }
}
