import { stat } from 'node:fs/promises';
import type { Clock, OwnerRef, ScopeId } from '#kernel';
import { MakulerError } from '#kernel';
import type { Pool, PoolClient } from '#postgres';
import { assertDurable, migrate } from '#postgres';
import type { ArchiveFrame } from '../archive-contract.js';
import type { FenceOrder, ScopeInfo, ShredOrder, ShredReceipt } from '../shredder-contract.js';
import type { ScopeRequest } from '../vault.js';
import type { SequenceRow } from './active.js';
import { Activity, readSequence } from './active.js';
import { backUpVault } from './archive.js';
import { BucketKeyring } from './buckets.js';
import type { CustodianMirrors } from './custodian/mirrors.js';
import { Fences } from './fences.js';
import { found, openEpochKey } from './founding.js';
import type { GateState } from './gate.js';
import { GateRefusal } from './gate.js';
import { Holders } from './holders.js';
import type { Looked } from './lookup.js';
import { lookUp, scopesOf } from './lookup.js';
import type { MintBatch } from './mint.js';
import { Mint } from './mint.js';
import { replayJournal } from './reconcile.js';
import { SCHEMA } from './schema.js';
import { Shredding } from './shredding.js';
import type { VaultStatus } from './status.js';
import { isDeviceShared, keyCounts, mirrorStates } from './status.js';

export interface KeeperOptions {
  readonly pool: Pool;
  readonly custodian: CustodianMirrors;
  readonly clock: Clock;
  /** How long a process may go on with what it holds, in milliseconds. */
  readonly leaseMs: number;
  readonly home?: string;
  /** Called when the gate refuses after the vault had been serving: the program ends and says why. */
  readonly onRefused: (refusal: GateRefusal) => void;
}

/** Everything that exists only while the gate is open. */
interface Open {
  readonly activity: Activity;
  readonly keyring: BucketKeyring;
  readonly mint: Mint;
  readonly fences: Fences;
  readonly shredding: Shredding;
  readonly incarnation: string;
  readonly epoch: number;
  readonly installation: string;
}

/**
 * The vault itself: opens the gate, keeps it closed while anything that it rests on is away, and hands each operation to
 * its part. Every operation throws `vault-unavailable` while the gate is closed.
 */
export class Keeper {
  #gate: GateState = { state: 'opening' };
  #open: Open | undefined;
  #opening: Promise<void> | undefined;
  #mintSequence = 0;
  #incarnation: string | undefined;
  #ended = false;
  #holders: Holders | undefined;

  private constructor(private readonly options: KeeperOptions) {}

  /** Reconciles, and opens the gate. Throws GateRefusal, or what kept the database from answering. */
  static async start(options: KeeperOptions): Promise<Keeper> {
    const keeper = new Keeper(options);
    try {
      await keeper.#reconcile();
      return keeper;
    } catch (error) {
      keeper.#ended = true;
      throw error;
    }
  }

  get holders(): Holders {
    return this.#holders!;
  }
  get gate(): GateState {
    return this.#gate;
  }
  /** Names this life of the process: what holders learned of another one may be out of date. */
  get view(): string {
    return this.#current().activity.token;
  }
  get incarnation(): string {
    return this.#current().incarnation;
  }

  mint(groups: readonly (readonly ScopeRequest[])[]): Promise<MintBatch> {
    return this.#current().mint.mint(groups);
  }
  lookUp(scopeIds: readonly ScopeId[]): Promise<ReadonlyMap<ScopeId, Looked>> {
    return lookUp(this.options.pool, this.#current().keyring, scopeIds);
  }
  scopesOf(owner: OwnerRef): Promise<readonly ScopeInfo[]> {
    return scopesOf(this.options.pool, this.#current().keyring, owner);
  }
  fence(order: FenceOrder): Promise<void> {
    return this.#current().fences.fence(order);
  }
  release(owner: OwnerRef, orderId: string): Promise<void> {
    return this.#current().fences.release(owner, orderId);
  }
  closeForEver(owner: OwnerRef): Promise<void> {
    return this.#current().fences.closeForEver(owner);
  }
  shred(order: ShredOrder): Promise<ShredReceipt> {
    return this.#current().shredding.shred(order);
  }
  receiptOf(orderId: string): Promise<ShredReceipt | undefined> {
    return this.#current().shredding.receiptOf(orderId);
  }

  /** A copy of the database at one moment. Throws `vault-unavailable` while the gate is closed: what is refused is no backup. */
  backup(): AsyncGenerator<ArchiveFrame, void> {
    this.#current();
    return backUpVault(this.options.pool);
  }

  async status(): Promise<VaultStatus> {
    const { incarnation, epoch } = this.#current();
    const { pool, custodian, home } = this.options;
    const homeDevice =
      home === undefined
        ? undefined
        : await stat(home).then(
            ({ dev }) => dev,
            () => undefined,
          );
    return {
      gate: this.#gate,
      incarnation,
      epoch,
      mintSequence: this.#mintSequence,
      ...(await keyCounts(pool)),
      mirrors: await mirrorStates(custodian),
      sharedDevice: await isDeviceShared(custodian, homeDevice),
      holders: this.holders.count,
    };
  }

  /** Ends cleanly: applied orders are dissolved in the journal, the right to write is given up, keys are wiped. */
  async stop(): Promise<void> {
    this.#ended = true;
    await this.#opening?.catch(() => undefined);
    await this.#open?.shredding.flatten().catch(() => undefined);
    await this.#shut('the vault is stopping');
  }

  #current(): Open {
    if (this.#open) return this.#open;
    throw new MakulerError('vault-unavailable', {
      detail: `The vault's gate is closed: ${this.#gate.state === 'closed' ? this.#gate.why : this.#gate.state}.`,
      retryAfterSeconds: 2,
    });
  }

  async #reconcile(): Promise<void> {
    const { pool, custodian, clock, leaseMs } = this.options;
    await assertDurable(pool);
    const activity = await Activity.take(pool, clock, leaseMs, (why) => this.#interrupted(why));
    try {
      await migrate(pool, 'vault', SCHEMA);
      await custodian.load();
      const row = await found(pool, custodian, activity.token, leaseMs);
      this.#assertNoStepBack(row.incarnation, Number(row.mint_sequence));
      const keyring = new BucketKeyring(row.installation, row.epoch, await openEpochKey(pool, custodian, row));
      await pool.query('update vault set active = $1, lease_ms = $2', [activity.token, leaseMs]);
      const applied = await replayJournal(pool, keyring, custodian);
      // The right to write may have been lost meanwhile, and then nobody was told.
      if (activity.confirmedAtMs === -Infinity) throw new MakulerError('vault-unavailable');
      // Processes may still hold what the life before this one leased to them: a shred waits for that too. Only the very
      // first life of an installation has none before it.
      const inheritedMs = this.#holders || row.mint_sequence !== '0' ? Math.max(leaseMs, row.lease_ms) : 0;
      this.#holders = new Holders(clock, leaseMs, inheritedMs, () => this.#mayRenew());
      this.#open = this.#assemble(activity, keyring, row.installation, row.incarnation, row.epoch);
      this.#gate = applied > 0 ? { state: 'reconciled', applied } : { state: 'consistent' };
    } catch (error) {
      await activity.giveUp();
      throw error;
    }
  }

  #assemble(
    activity: Activity,
    keyring: BucketKeyring,
    installation: string,
    incarnation: string,
    epoch: number,
  ): Open {
    const { pool, custodian, clock } = this.options;
    const assertActive = async (client: PoolClient) => this.#counted(await readSequence(client, activity.token));
    const unapplied = () => this.#interrupted('an order is journaled and not applied');
    const shredding = new Shredding(pool, keyring, custodian, this.holders, clock, assertActive, unapplied);
    const mint = new Mint(pool, keyring, {
      nowMs: () => clock.now().getTime(),
      isClosing: (scopeId) => shredding.closing.has(scopeId),
      token: activity.token,
      counted: (row) => this.#counted(row),
    });
    const fences = new Fences(pool, keyring, custodian, this.holders, assertActive, unapplied);
    return { activity, keyring, mint, fences, shredding, installation, incarnation, epoch };
  }

  /** Takes note of the vault's row; throws when another vault has taken over, or when the count went back. */
  #counted(row: SequenceRow | undefined): number {
    if (!row) {
      this.#interrupted('another vault has taken over');
      throw new MakulerError('vault-unavailable', { detail: 'Another vault has taken over this database.' });
    }
    const sequence = Number(row.mint_sequence);
    this.#assertNoStepBack(row.incarnation, sequence);
    return sequence;
  }

  /** A database that was put back under a running vault knows keys no more that this vault has handed out. */
  #assertNoStepBack(incarnation: string, sequence: number): void {
    if ((this.#incarnation ?? incarnation) !== incarnation || sequence < this.#mintSequence) {
      const refusal = new GateRefusal('stepped-back', 'The database is an earlier one than this vault has worked on.');
      this.#refused(refusal);
      throw refusal;
    }
    this.#incarnation = incarnation;
    this.#mintSequence = sequence;
  }

  #mayRenew(): boolean {
    const activity = this.#open?.activity;
    return (
      activity !== undefined &&
      this.options.clock.monotonicMs() - activity.confirmedAtMs < this.options.leaseMs * CONFIRMED_WITHIN
    );
  }

  /** Closes the gate at once and opens it again when database and custodian are back and were reconciled anew. */
  #interrupted(why: string): void {
    if (this.#ended || this.#opening || !this.#open) return;
    this.#opening = this.#reopen(why).finally(() => (this.#opening = undefined));
  }

  async #reopen(why: string): Promise<void> {
    await this.#shut(why);
    while (!this.#ended) {
      try {
        return await this.#reconcile();
      } catch (error) {
        // Another vault may have the lock only because the server has not yet noticed that our connection is gone.
        if (error instanceof GateRefusal && error.reason !== 'not-active' && !isPassing(error))
          return this.#refused(error);
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
  }

  #refused(refusal: GateRefusal): void {
    this.#ended = true;
    void this.#shut(refusal.message);
    this.options.onRefused(refusal);
  }

  async #shut(why: string): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    this.#gate = { state: 'closed', why };
    if (!open) return;
    this.holders.endAll();
    await open.activity.giveUp();
    open.keyring.wipe();
  }
}

/** Part of a lease within which the database must have answered, or no lease is given: half of them may get lost. */
const CONFIRMED_WITHIN = 0.6;

/** A custodian that can't be read now may be a volume that comes back. */
const isPassing = ({ reason }: GateRefusal): boolean => reason === 'custodian-missing';
