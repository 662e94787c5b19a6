import type { Clock, OwnerRef, ScopeId } from '#kernel';
import { MakulerError } from '#kernel';
import type { Pool, PoolClient } from '#postgres';
import type { ShredOrder, ShredReceipt } from '../shredder-contract.js';
import type { Write } from './active.js';
import type { BucketKeyring } from './keyring.js';
import { ownerKey } from './buckets.js';
import type { CustodianMirrors } from './custodian/mirrors.js';
import type { CustodianState, JournalEntry } from './custodian/custodian-state.js';
import type { Holders } from './holders.js';
import { noteCustodian } from './custodian-number.js';
import { dropExceptions, lockBucketsOf } from './fences.js';
import { lockOwners } from './owners.js';
import { readReceipt, storeReceipt } from './receipts.js';
import type { Doomed } from './tombstones.js';
import { beginErasing, bury, lockScopes } from './tombstones.js';

/** Carries out shred orders: journal, tombstones, notices, in this order and no other. */
export class Shredding {
  readonly #underWay = new Map<string, Promise<ShredReceipt>>();
  /** Scopes that are about to be shredded: no new session seals under them. */
  readonly closing = new Set<ScopeId>();
  #flattening: NodeJS.Timeout | undefined;
  #applied: ReadonlySet<string> = new Set<string>();

  constructor(
    private readonly database: { readonly pool: Pool; readonly write: Write },
    private readonly keyring: BucketKeyring,
    private readonly custodian: CustodianMirrors,
    private readonly holders: Holders,
    private readonly clock: Clock,
    private readonly assertActive: (client: PoolClient) => Promise<unknown>,
    /** Called when an order may have passed the point of no return and is not applied: only a reconciliation may go on. */
    private readonly onUnapplied: () => void,
  ) {}

  /** Idempotent by `orderId`; a repeat while the first is under way waits for it. */
  shred(order: ShredOrder): Promise<ShredReceipt> {
    return this.#once(order.orderId, async () => (await this.#finish(order.orderId)) ?? this.#carryOut(order));
  }

  /** The receipt of an order that passed the point of no return, finished if need be; `undefined` for one that never did. */
  receiptOf(orderId: string): Promise<ShredReceipt | undefined> {
    return this.#underWay.get(orderId) ?? this.#finish(orderId);
  }

  /** Moves applied orders of the journal in among all others, where nothing tells which scopes belonged together. */
  async flatten(): Promise<void> {
    clearTimeout(this.#flattening);
    this.#flattening = undefined;
    const applied = this.#applied;
    if (applied.size === 0) return;
    await this.custodian.change((state) => dissolve(applied, state));
    this.#applied = new Set([...this.#applied].filter((orderId) => !applied.has(orderId)));
  }

  #once(orderId: string, work: () => Promise<ShredReceipt>): Promise<ShredReceipt> {
    const present = this.#underWay.get(orderId);
    if (present) return present;
    const result = work().finally(() => this.#underWay.delete(orderId));
    this.#underWay.set(orderId, result);
    return result;
  }

  async #carryOut(order: ShredOrder): Promise<ShredReceipt> {
    // First of all, so that a mint that is decided after the check below meets it.
    for (const scopeId of order.scopeIds) this.closing.add(scopeId);
    try {
      await this.database.write((client) => this.#check(client, order));
      // A seal that began before must be in the log or dead before its key dies: nothing acknowledged may be unreadable.
      await this.holders.quiesce(order.owner);
      await this.#destroy(order);
    } finally {
      for (const scopeId of order.scopeIds) this.closing.delete(scopeId);
    }
    return (await this.#finish(order.orderId))!;
  }

  async #destroy(order: ShredOrder): Promise<void> {
    let journaled = false;
    try {
      await this.database.write(async (client) => {
        const doomed = await this.#check(client, order);
        const entries = entriesOf(order, doomed);
        await this.assertActive(client);
        // An order that finds nothing to destroy needs no journal, and must not have one: replayed, it would leave its receipt
        // and not the owner's state, for the journal names no owner. It is committed as a whole or not at all.
        journaled = entries.length > 0;
        // The point of no return. The rows are locked meanwhile, so that the epoch written with each entry stays true.
        const state = journaled ? await this.#journal(order.orderId, entries) : undefined;
        let epoch = Math.max(0, ...entries.map((entry) => entry.epoch));
        if (order.kind === 'erasure') {
          epoch = Math.max(epoch, await dropExceptions(client, this.keyring, order.owner, doomed));
          await beginErasing(client, [order.owner]);
        }
        await storeReceipt(client, order.orderId, await bury(client, this.keyring, doomed, entries), epoch);
        if (state) await noteCustodian(client, state);
      });
    } catch (error) {
      if (journaled) this.onUnapplied();
      throw error;
    }
    if (journaled) this.#markApplied(order.orderId);
    await this.holders.dropEverywhere(order.scopeIds);
    await this.#setErased(order.orderId);
  }

  #journal(orderId: string, entries: readonly JournalEntry[]) {
    return this.custodian.change((now) =>
      dissolve(this.#applied, { ...now, pending: [...now.pending, { orderId, entries }] }),
    );
  }

  /**
   * Locks and opens what the order names. Throws `not-fenced`, and `scope-unknown` for a scope that has no row or is
   * another owner's.
   */
  async #check(client: PoolClient, order: ShredOrder): Promise<readonly Doomed[]> {
    const { fenceOrder } = (await lockOwners(client, [order.owner])).get(ownerKey(order.owner))!;
    // A worker that was stopped and woke up may still hold an order that another has since given up.
    if (fenceOrder !== order.orderId) throw new MakulerError('not-fenced');
    // All of the owner's buckets before any scope: a seal locks buckets in the same order, and nobody waits in a circle.
    await lockBucketsOf(client, order.owner);
    const doomed = await lockScopes(client, this.keyring, order.scopeIds);
    const strange = doomed.filter(({ opened }) => 'record' in opened && !isSame(opened.record.owner, order.owner));
    if (doomed.length !== new Set(order.scopeIds).size || strange.length > 0)
      throw new MakulerError('scope-unknown', { detail: 'The order names a scope that is not one of the owner.' });
    return doomed;
  }

  /** Finishes what is committed: a receipt without a time was interrupted before every holder had confirmed. */
  async #finish(orderId: string): Promise<ShredReceipt | undefined> {
    const receipt = await readReceipt(this.database.pool, orderId);
    if (!receipt) return undefined;
    if (receipt.live_erased_at === null) {
      // Its scopes are no longer told apart, so everybody confirms a notice without any: it comes after theirs.
      await this.holders.dropEverywhere([]);
      await this.#setErased(orderId);
      return this.#finish(orderId);
    }
    return { orderId, destroyed: receipt.destroyed, liveErasedAt: receipt.live_erased_at.toISOString() };
  }

  async #setErased(orderId: string): Promise<void> {
    await this.database.write((client) =>
      client.query('update receipt set live_erased_at = $2 where order_id = $1 and live_erased_at is null', [
        orderId,
        this.clock.now(),
      ]),
    );
  }

  #markApplied(orderId: string): void {
    this.#applied = new Set([...this.#applied, orderId]);
    // Soon, and not at once: an order that follows takes it along in the same write.
    this.#flattening ??= setTimeout(() => void this.flatten().catch(() => undefined), 250).unref();
  }
}

const isSame = (a: OwnerRef, b: OwnerRef): boolean => a.kind === b.kind && a.id === b.id;

const entriesOf = (order: ShredOrder, doomed: readonly Doomed[]): JournalEntry[] =>
  doomed.map(({ row, bucket }) => ({
    scopeId: row.scope_id,
    kind: order.kind === 'erasure' ? 'erased' : 'expired',
    epoch: bucket?.epoch ?? 0,
  }));

/**
 * The journal with applied orders dissolved among all other entries, where nothing tells which scopes belonged together.
 * An erasure is never weakened to an expiry, nor an epoch lowered. An order whose last root went while it was pending leaves
 * nothing behind, as after any other destruction.
 */
export const dissolve = (
  applied: ReadonlySet<string>,
  { pending, shredded, epochs }: Pick<CustodianState, 'pending' | 'shredded' | 'epochs'>,
): Pick<CustodianState, 'pending' | 'shredded'> => {
  const all = new Map(shredded.map((entry) => [entry.scopeId, entry]));
  const oldest = Math.min(...epochs);
  for (const { orderId, entries } of pending)
    if (applied.has(orderId))
      for (const entry of entries)
        if (entry.epoch >= oldest) all.set(entry.scopeId, stronger(entry, all.get(entry.scopeId)));
  return { pending: pending.filter(({ orderId }) => !applied.has(orderId)), shredded: [...all.values()] };
};
const stronger = (a: JournalEntry, b: JournalEntry | undefined): JournalEntry =>
  b
    ? {
        scopeId: a.scopeId,
        kind: a.kind === 'erased' || b.kind === 'erased' ? 'erased' : 'expired',
        epoch: Math.max(a.epoch, b.epoch),
      }
    : a;
