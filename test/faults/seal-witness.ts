import type { OwnerRef, ScopeId } from '#kernel';
import type { KeeperHouse, MintedScope } from './keeper-house.js';

interface Bucket {
  readonly bucket_id: string;
  readonly generation: number;
  readonly epoch: number;
  readonly dirty: boolean;
}

/** Everything that the vault was asked to keep or to destroy, to hold it against. */
export class SealWitness {
  readonly live = new Map<ScopeId, string>();
  readonly gone = new Set<ScopeId>();
  /** Bucket keys under which something was shredded, with the epoch that they lay in then. */
  readonly #dead = new Map<string, number>();

  constructor(private readonly house: KeeperHouse) {}

  async mint(owner: OwnerRef, category?: string, partition?: string): Promise<MintedScope> {
    const minted = await this.house.mint(owner, category, partition);
    this.live.set(minted.scopeId, minted.key);
    return minted;
  }

  async shred(owner: OwnerRef, scopeIds: readonly ScopeId[], kind?: 'erasure' | 'expiry'): Promise<string> {
    const orderId = await this.house.shred(owner, scopeIds, kind);
    await this.note(scopeIds);
    return orderId;
  }
  async note(scopeIds: readonly ScopeId[]): Promise<void> {
    for (const scopeId of scopeIds) {
      this.live.delete(scopeId);
      this.gone.add(scopeId);
    }
    for (const { bucket_id: id, generation, epoch, dirty } of await this.buckets())
      if (dirty && !this.#dead.has(`${id}/${generation}`)) this.#dead.set(`${id}/${generation}`, epoch);
  }

  /** Another copy of the vault is put back: generations count on from there. */
  forgetGenerations(): void {
    this.#dead.clear();
  }

  buckets(): Promise<Bucket[]> {
    return this.house.sql<Bucket>('select bucket_id, generation, epoch, dirty from bucket');
  }

  /** Nobody is lost, nobody is back, and no key under which something was shredded has reached a later epoch. */
  async check(): Promise<void> {
    const read = await this.house.read([...this.live.keys(), ...this.gone]);
    for (const [scopeId, key] of this.live) expect([scopeId, read.get(scopeId)]).toEqual([scopeId, key]);
    for (const scopeId of this.gone) expect(read.get(scopeId)).toMatch(/^(erased|expired)$/);
    for (const { bucket_id: id, generation, epoch } of await this.buckets()) {
      const died = this.#dead.get(`${id}/${generation}`);
      if (died !== undefined) expect({ id, epoch }).toEqual({ id, epoch: died });
    }
  }

  /** Waits until the vault has finished what it found to do at its start. */
  async settled(): Promise<void> {
    await this.house.keeper.destroyRoots();
  }

  /** Nothing of a seal is left to do. */
  async checkSealed(epoch: number): Promise<void> {
    await this.check();
    const [row] = await this.house.sql<{ epoch: number; lowest: number; wraps: number[] }>(
      `select epoch, (select coalesce(min(b.epoch), vault.epoch) from bucket b) as lowest, array(select distinct k.epoch from epoch_key k) as wraps from vault`,
    );
    expect(row).toEqual({ epoch, lowest: epoch, wraps: [epoch] });
    expect(await this.house.keeper.epochs()).toMatchObject({ current: epoch, sealing: false });
  }
}
