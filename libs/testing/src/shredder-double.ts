import { createHash } from 'node:crypto';
import type { OwnerRef } from '#kernel';
import { MakulerError } from '#kernel';
import type { FenceOrder, ScopeInfo, ShredOrder, ShredReceipt } from '#vault/shredder';
import { Shredder } from '#vault/shredder';
import type { VaultDouble } from './vault-double.js';

/** Destroys the keys of a VaultDouble, with the promises of the real one: orders are done once, fences hold. */
export class ShredderDouble extends Shredder {
  readonly receipts = new Map<string, ShredReceipt>();
  readonly closed = new Set<string>();
  readonly #erasing = new Set<string>();
  /** By owner: the order that the fence is up for, and what an erasure leaves open. */
  readonly #orders = new Map<string, string>();
  readonly #excepted = new Map<string, ReadonlySet<string>>();

  constructor(private readonly vault: VaultDouble) {
    super();
  }

  async scopesOf(owner: OwnerRef): Promise<readonly ScopeInfo[]> {
    return this.vault
      .scopesOf(owner)
      .map(({ scopeId, category, partition, stream, state }) => ({
        ...{ scopeId, category, partition, stream },
        state: state === 'live' ? ('live' as const) : ('shredded' as const),
      }))
      .filter(({ state }) => state === 'live' || !this.closed.has(owner.id));
  }

  async fence({ orderId, owner, kind, except }: FenceOrder): Promise<void> {
    if (this.closed.has(owner.id) || this.receipts.has(orderId)) return;
    const present = this.#orders.get(owner.id);
    const erasing = this.#erasing.has(owner.id);
    if (kind === 'expiry' && !erasing && present !== undefined && present !== orderId)
      throw new MakulerError('erasure-in-progress');
    const open = new Set(except.map(({ category, partition }) => `${category}/${partition}`));
    if (!erasing) this.#excepted.set(owner.id, open);
    this.vault.fences.set(owner.id, erasing ? new Set() : open);
    this.#orders.set(owner.id, orderId);
  }

  async release(owner: OwnerRef, orderId: string): Promise<void> {
    if (this.#orders.get(owner.id) !== orderId || this.closed.has(owner.id)) return;
    this.#orders.delete(owner.id);
    if (this.#erasing.has(owner.id)) this.vault.fences.set(owner.id, this.#excepted.get(owner.id) ?? new Set());
    else this.vault.fences.delete(owner.id);
  }

  async shred({ orderId, owner, scopeIds, kind }: ShredOrder): Promise<ShredReceipt> {
    const done = this.receipts.get(orderId);
    if (done) return done;
    if (this.#orders.get(owner.id) !== orderId) throw new MakulerError('not-fenced');
    if (kind === 'erasure' && !this.#erasing.has(owner.id)) {
      this.#erasing.add(owner.id);
      this.#orders.delete(owner.id);
    }
    const scopes = this.vault.scopesOf(owner).filter(({ scopeId }) => scopeIds.includes(scopeId));
    for (const { category, partition } of scopes) this.vault.shred(owner, category, partition);
    const fingerprintOf = (text: string) => createHash('sha256').update(`key ${text}`).digest('hex');
    const destroyed = scopes.map(({ category, scopeId }) => ({ category, fingerprint: fingerprintOf(scopeId) }));
    const receipt = { orderId, destroyed, liveErasedAt: new Date().toISOString() };
    this.receipts.set(orderId, receipt);
    return receipt;
  }

  async receiptOf(orderId: string): Promise<ShredReceipt | undefined> {
    return this.receipts.get(orderId);
  }

  async closeForEver(owner: OwnerRef, _orderId: string): Promise<void> {
    if (this.vault.scopesOf(owner).some(({ state }) => state === 'live'))
      throw new MakulerError('erasure-not-finished');
    this.closed.add(owner.id);
    this.vault.fences.set(owner.id, new Set());
  }
}
