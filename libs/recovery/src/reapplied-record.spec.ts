import { CustomerRegistered } from '#customers';
import type { Draft } from '#events';
import { ScopeExpired, SubjectErased } from '#events';
import type { ActorId, CustomerId, OwnerRef } from '#kernel';
import { inContext, newId, subjectOwner, systemContext } from '#kernel';
import { ownStream } from '#retention';
import { LedgerDouble } from '#testing';
import type { Reapplied, Reconciliation } from '#vault/operations';
import { VaultRecovery } from '#vault/operations';
import { ErasureFenced } from '#erasure';
import { ReappliedRecord } from './reapplied-record.js';

/** A vault whose start has applied shreds again. */
class MendedVault extends VaultRecovery {
  reconciliations: Reconciliation[] = [];
  owners: Reapplied[] = [];
  async gate() {
    return {
      serving: true,
      state: 'reconciled',
      why: '',
      wayOut: '',
      keys: { live: 0, expired: 0, erased: 0 },
      dirtyBuckets: 0,
    };
  }
  losses = () => Promise.reject(new Error('the gate is open'));
  acceptLosses = () => Promise.reject(new Error('the gate is open'));
  async reapplied() {
    return { reconciliations: this.reconciliations, owners: this.owners };
  }
  async recorded(done: { reconciliations: readonly string[]; owners: readonly OwnerRef[] }) {
    this.reconciliations = this.reconciliations.filter(({ id }) => !done.reconciliations.includes(id));
    this.owners = this.owners.filter(({ owner }) => !done.owners.some(({ id }) => id === owner.id));
  }
}

describe('what the vault applied again', () => {
  let ledger: LedgerDouble;
  let vault: MendedVault;
  let record: ReappliedRecord;
  const system = systemContext(newId<ActorId>());
  const append = (owner: OwnerRef, ...drafts: Draft<any>[]) =>
    inContext(system, () => ledger.append({ stream: ownStream(owner), expected: 'any', drafts }));
  const bringUpToDate = () => inContext(system, () => record.bringUpToDate());
  const eventsOf = async (stream: string) => (await ledger.read(stream)).map(({ type, data }) => ({ type, data }));

  const person = async (): Promise<OwnerRef> => {
    const customerId = newId<CustomerId>();
    const owner = subjectOwner(customerId);
    const rest = { phone: null, email: null, companyId: null, address: null, sourceKey: null };
    await append(
      owner,
      CustomerRegistered.of(
        { ...{ customerId, relationship: 'customer', sector: 'private', region: null, name: 'Kari' }, ...rest },
        { partitions: { contact: newId() } },
      ),
    );
    return owner;
  };
  const mended = (owner: OwnerRef, over: Partial<Reapplied> = {}): Reapplied => ({
    ...{ owner, erased: true, retained: [], expired: {} },
    ...over,
  });

  beforeEach(() => {
    ledger = new LedgerDouble();
    vault = new MendedVault();
    record = new ReappliedRecord(ledger, vault);
  });

  it('is said of each erased owner whom a restored log does not know as erased, once', async () => {
    const owner = await person();
    ledger.shred(owner);
    for (let times = 0; times < 2; times++) {
      vault.owners = [mended(owner, { retained: ['billing'] })];
      expect(await bringUpToDate()).toBe(times === 0 ? 1 : 0);
    }
    expect((await eventsOf(ownStream(owner))).slice(1)).toEqual([
      {
        type: SubjectErased.type,
        data: { ownerId: owner.id, ownerKind: 'subject', categories: { contact: 1 }, retained: ['billing'] },
      },
    ]);
    expect(vault.owners).toEqual([]);
  });

  it('is said of what expired as far as the log does not know it', async () => {
    const owner = await person();
    const base = { ownerId: owner.id, ownerKind: owner.kind, partitions: null };
    await append(owner, ScopeExpired.of({ ...base, category: 'billing', count: 2 }));
    vault.owners = [mended(owner, { erased: false, expired: { billing: 3, service: 1, request: 0 } })];
    await bringUpToDate();
    expect((await eventsOf(ownStream(owner))).slice(2)).toMatchObject([
      { type: ScopeExpired.type, data: { category: 'billing', count: 1 } },
      { type: ScopeExpired.type, data: { category: 'service', count: 1 } },
    ]);
  });

  it('is left to an erasure that is under way, and there is nothing to say of whom the log does not know', async () => {
    const owner = await person();
    const erasing = ErasureFenced.of({ ownerId: owner.id, erasureId: newId(), orderId: newId() } as never);
    await append(owner, erasing);
    const unknown = subjectOwner(newId());
    vault.owners = [mended(owner), mended(unknown)];
    expect(await bringUpToDate()).toBe(0);
    expect(await eventsOf(ownStream(owner))).toHaveLength(2);
    expect(await eventsOf(ownStream(unknown))).toEqual([]);
  });

  it('is counted in the vault’s ledger, once for each start', async () => {
    const reconciliation = { id: newId(), applied: 4 };
    for (let times = 0; times < 2; times++) {
      vault.reconciliations = [reconciliation];
      await bringUpToDate();
    }
    expect(await eventsOf('vault-ledger')).toEqual([
      { type: 'vault.reconciled', data: { reconciliationId: reconciliation.id, count: 4 } },
    ]);
    expect(vault.reconciliations).toEqual([]);
  });
});
