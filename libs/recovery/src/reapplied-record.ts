import { Injectable } from '@nestjs/common';
import type { Category, Draft } from '#events';
import { ScopeExpired, SubjectErased } from '#events';
import type { OwnerRef } from '#kernel';
import type { Decider, RecordedEvent } from '#ledger';
import { isEvent, Ledger } from '#ledger';
import type { Expiry } from '#retention';
import { expiry, ownStream } from '#retention';
import type { Reapplied, Reconciliation } from '#vault/operations';
import { VaultRecovery } from '#vault/operations';
import { VaultReconciled } from './recovery.events.js';

const STREAM = 'vault-ledger';

/** An owner's stream as far as forgetting goes: what it says, and what it should say. */
interface Told extends Expiry {
  /** Keys that expired, by category. */
  readonly expired: Readonly<Record<string, number>>;
  /** Blocks of the stream whose keys are destroyed, by category. */
  readonly shredded: Readonly<Record<string, ReadonlySet<string>>>;
  readonly isEmpty: boolean;
}

const told: Decider<Told> = {
  initial: { ...expiry.initial, expired: {}, shredded: {}, isEmpty: true },
  evolve(state: Told, event: RecordedEvent): Told {
    const shredded = { ...state.shredded };
    for (const { category, scopeId, state: is } of event.scopes)
      if (is === 'shredded') shredded[category] = new Set(shredded[category]).add(scopeId);
    const expired = { ...state.expired };
    if (isEvent(event, ScopeExpired))
      expired[event.data.category] = (expired[event.data.category] ?? 0) + event.data.count;
    return { ...state, ...expiry.evolve(state, event), expired, shredded, isEmpty: false };
  },
};

/**
 * Makes the log say what the vault did at its start: that it applied shreds again, and of each owner whom the log does not
 * know as forgotten (it may have been restored to before that) that they are. Done twice it is done once.
 */
@Injectable()
export class ReappliedRecord {
  constructor(
    private readonly ledger: Ledger,
    private readonly recovery: VaultRecovery,
  ) {}

  /** Runs inside `inContext`. Gives how many owners it wrote about. Throws `vault-unavailable` behind a closed gate. */
  async bringUpToDate(): Promise<number> {
    const { reconciliations, owners } = await this.recovery.reapplied();
    let written = 0;
    for (const owner of owners) written += await this.#record(owner);
    for (const reconciliation of reconciliations) await this.#note(reconciliation);
    if (owners.length + reconciliations.length > 0)
      await this.recovery.recorded({
        owners: owners.map(({ owner }) => owner),
        reconciliations: reconciliations.map(({ id }) => id),
      });
    return written;
  }

  async #record({ owner, erased, retained, expired }: Reapplied): Promise<number> {
    const { written } = await this.ledger.decide(told, ownStream(owner), (now) =>
      erased ? erasureMissing(now, owner, retained as Category[]) : expiriesMissing(now, owner, expired),
    );
    return written > 0 ? 1 : 0;
  }

  async #note({ id: reconciliationId, applied }: Reconciliation): Promise<void> {
    await this.ledger.decide(reconciled, STREAM, (known) =>
      known.has(reconciliationId) ? [] : [VaultReconciled.of({ reconciliationId, count: applied })],
    );
  }
}

/** The jobs of an erasure or an expiry that is under way write their own events, with what only they know. */
const isUnderWay = ({ isEmpty, erasing, openOrder }: Told): boolean => isEmpty || erasing || openOrder !== undefined;

/** Says that the owner was erased, of whom the log does not. Of an owner without a stream there is nothing to forget. */
const erasureMissing = (now: Told, owner: OwnerRef, retained: readonly Category[]): Draft<any>[] => {
  if (isUnderWay(now) || now.erased) return [];
  const counts = Object.entries(now.shredded).map(([category, scopeIds]) => [category, scopeIds.size]);
  const categories = Object.fromEntries(counts) as Partial<Record<Category, number>>;
  return [SubjectErased.of({ ownerId: owner.id, ownerKind: owner.kind, categories, retained })];
};

/** Says what expired beyond what the log knows of. */
const expiriesMissing = (now: Told, owner: OwnerRef, expired: Reapplied['expired']): Draft<any>[] => {
  if (isUnderWay(now)) return [];
  return Object.entries(expired).flatMap(([category, found]) => {
    const count = found - (now.expired[category] ?? 0);
    const base = { ownerId: owner.id, ownerKind: owner.kind, category: category as Category };
    return count > 0 ? [ScopeExpired.of({ ...base, count, partitions: null })] : [];
  });
};

/** Ids of the reconciliations that the log knows. */
const reconciled: Decider<ReadonlySet<string>> = {
  initial: new Set<string>(),
  evolve: (state: ReadonlySet<string>, event: RecordedEvent) =>
    isEvent(event, VaultReconciled) ? new Set(state).add(event.data.reconciliationId) : state,
};
