import type { Clock, OwnerRef, ScopeId } from '#kernel';
import { isMakulerError, MakulerError } from '#kernel';
import type { Pool } from '#postgres';
import { assertDurable, inTransaction, migrate } from '#postgres';
import type { ArchiveFrame } from '../archive-contract.js';
import type { Clearing, DestructionReport, EpochsReport, MirrorReport, SealReport } from '../operations-contract.js';
import type { FenceOrder, ScopeInfo, ShredOrder, ShredReceipt } from '../shredder-contract.js';
import type { ScopeRequest } from '../vault.js';
import type { VaultStanding, WitnessedCheckpoint } from '../witness-contract.js';
import { Activity } from './active.js';
import { backUpVault, restoreVault } from './archive.js';
import { assertFits, ClosedGate, leaveForkToOperator } from './closed-gate.js';
import { reportMirrors } from './custodian/mirror-report.js';
import { notePlaces, readPlaces } from './custodian/mirror-table.js';
import type { CustodianMirrors } from './custodian/mirrors.js';
import { openEpochKeys } from './epochs/epoch-keys.js';
import { found, takeOver } from './founding.js';
import { stillThere } from './forgotten.js';
import type { GateState } from './gate.js';
import { GateRefusal } from './gate.js';
import { readFacts } from './gate-facts.js';
import type { GateFacts } from './gate-judgement.js';
import { judge, judgeForgotten } from './gate-judgement.js';
import { HandedOut } from './handed-out.js';
import { Holders } from './holders.js';
import { BucketKeyring } from './keyring.js';
import type { Looked } from './lookup.js';
import type { LogWitness } from './log-witness.js';
import { lookUp, scopesOf } from './lookup.js';
import type { Closed } from './losses.js';
import type { MintBatch } from './mint.js';
import type { OpenVault } from './open-vault.js';
import { assemble } from './open-vault.js';
import { noteReconciled } from './reapplied.js';
import { replayJournal } from './reconcile.js';
import { Recovery } from './recovery.js';
import { SCHEMA } from './schema.js';
import { VaultCounts } from './vault-counts.js';
import type { VaultStatus } from './status.js';
import { isDeviceShared, mirrorStates } from './status.js';
import { keepCheckpoint, standingOf } from './witness.js';

export interface KeeperOptions {
  readonly pool: Pool;
  readonly custodian: CustodianMirrors;
  /** The event log, which is asked before anything is served. */
  readonly log: LogWitness;
  readonly clock: Clock;
  /** How long a process may go on with what it holds, in milliseconds. */
  readonly leaseMs: number;
  /** From the end of a seal to the destruction of the roots before it, in milliseconds; may be 0. */
  readonly epochWindowMs: number;
  /** From one planned seal to the next, in milliseconds: dates are planned by it, the caller's schedule decides. */
  readonly sealEveryMs: number;
  readonly home?: string;
  /** How long `start` waits for a log that is away before it goes on behind a closed gate, in milliseconds (20,000). */
  readonly logPatienceMs?: number;
  /** A drill: its log is older than what the custodian has seen, and that is no fault. */
  readonly olderLogExpected?: boolean;
  /** Called when the gate refuses without a way out after the vault had been serving: the program ends and says why. */
  readonly onRefused: (refusal: GateRefusal) => void;
}

/**
 * The vault itself: opens the gate, keeps it closed while anything that it rests on is away or does not fit together, and
 * hands each operation to its part. Every operation throws `vault-unavailable` while the gate is closed.
 */
export class Keeper {
  #gate: GateState = { state: 'opening' };
  #open: OpenVault | undefined;
  #opening: Promise<void> | undefined;
  #closedWork: Promise<unknown> = Promise.resolve();
  /** What leads out of a closed gate. */
  readonly recovery: Recovery;
  readonly #handedOut = new HandedOut((why) => this.#interrupted(why));
  readonly #counts: VaultCounts;
  #ended = false;
  #holders: Holders | undefined;

  private constructor(private readonly options: KeeperOptions) {
    this.#counts = new VaultCounts(options.pool, options.clock);
    this.recovery = new Recovery({
      pool: options.pool,
      whileClosed: (work) => this.#whileClosed(work),
      reconcile: () => this.#reconcileAgain('losses were accepted'),
      keyring: () => this.#current().keyring,
    });
  }

  /**
   * Reconciles, and opens the gate; a gate that must stay closed and has a way out is a start too, and `gate` says which.
   * Throws GateRefusal, or what kept the database from answering.
   */
  static async start(options: KeeperOptions): Promise<Keeper> {
    const keeper = new Keeper(options);
    try {
      await keeper.#begin();
      return keeper;
    } catch (error) {
      keeper.#ended = true;
      throw error;
    }
  }

  /** Throws `vault-unavailable` before the gate has ever been open. */
  get holders(): Holders {
    return this.#holders ?? this.#current().holders;
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
  closeForEver(owner: OwnerRef, orderId: string): Promise<void> {
    return this.#current().fences.closeForEver(owner, orderId);
  }
  shred(order: ShredOrder): Promise<ShredReceipt> {
    return this.#current().shredding.shred(order);
  }
  receiptOf(orderId: string): Promise<ShredReceipt | undefined> {
    return this.#current().shredding.receiptOf(orderId);
  }

  sealEpoch(force: boolean, callersNow?: Date): Promise<SealReport> {
    return this.#current().epochs.seal(force, callersNow);
  }
  destroyRoots(callersNow?: Date): Promise<DestructionReport> {
    return this.#current().epochs.destroyRoots(callersNow);
  }
  epochs(): Promise<EpochsReport> {
    return this.#current().epochs.report();
  }
  clearing(orderId: string, knownEpoch: number): Promise<Clearing | undefined> {
    return this.#current().epochs.clearing(orderId, knownEpoch);
  }

  mirrors(): Promise<readonly MirrorReport[]> {
    return reportMirrors(this.options.custodian);
  }
  addMirror(place: string): Promise<string> {
    return this.#current().mirrors.add(place);
  }
  retireMirror(id: string): Promise<void> {
    return this.#current().mirrors.retire(id);
  }
  async repairMirror(id: string): Promise<void> {
    if (this.#open) {
      if (await this.#open.mirrors.repair(id)) this.#interrupted('the journal of a mirror was taken over');
      return;
    }
    // Behind a gate that a fork keeps closed: what is united is reconciled as at any start.
    if (this.#opening || this.#ended) this.#current();
    const { pool, custodian, clock, leaseMs } = this.options;
    const activity = await Activity.take(pool, clock, leaseMs, () => undefined);
    try {
      await custodian.repair(id);
    } finally {
      await activity.giveUp();
    }
    await this.#reconcileAgain('a mirror was repaired');
  }

  /** A copy of the database at one moment. Throws `vault-unavailable` while the gate is closed: what is refused is no backup. */
  backup(): AsyncGenerator<ArchiveFrame, void> {
    this.#current();
    return backUpVault(this.options.pool);
  }

  /** Fills the empty database that the gate is closed for, and reconciles anew. Resolves with the next verdict, whatever it is. */
  async restore(frames: AsyncIterable<ArchiveFrame>, incarnation: string): Promise<void> {
    const { pool, custodian, clock, leaseMs } = this.options;
    const { state } = custodian;
    if (this.#gate.state !== 'database-empty' || !state) throw new MakulerError('restore-not-empty');
    const activity = await Activity.take(pool, clock, leaseMs, () => undefined);
    try {
      const { installation } = state;
      await restoreVault(pool, frames, { installation, incarnation, token: activity.token });
    } finally {
      await activity.giveUp();
    }
    await this.#reconcileAgain('the vault was restored');
  }

  async standing(): Promise<VaultStanding> {
    return { serving: this.#open !== undefined, ...(await standingOf(this.options.pool, this.options.custodian)) };
  }
  /** Only behind an open gate: a vault that is not the one that the log was written with witnesses nothing of it. */
  async witness(checkpoint: WitnessedCheckpoint): Promise<void> {
    const { assertActive } = this.#current();
    await inTransaction(this.options.pool, async (client) => {
      await assertActive(client);
      await keepCheckpoint(this.options.custodian, checkpoint);
    });
  }

  /** Answers behind a closed gate too: what is known of the database then, and what to do. */
  async status(): Promise<VaultStatus> {
    const { custodian, home } = this.options;
    return {
      gate: this.#gate,
      installation: custodian.state?.installation,
      ...(await this.#counts.now()),
      mirrors: await mirrorStates(custodian),
      sharedDevice: await isDeviceShared(custodian, home),
      holders: this.#open?.holders.count ?? 0,
      epochs: await this.#open?.epochs.report(),
    };
  }

  /** Ends cleanly: applied orders are dissolved in the journal, the right to write is given up, keys are wiped. */
  async stop(): Promise<void> {
    this.#ended = true;
    await this.#opening?.catch(() => undefined);
    await this.#open?.shredding.flatten().catch(() => undefined);
    await this.#shut('the vault is stopping');
  }

  #current(): OpenVault {
    if (this.#open) return this.#open;
    throw new MakulerError('vault-unavailable', {
      detail: `The vault's gate is closed: ${'why' in this.#gate ? this.#gate.why : this.#gate.state}`,
      retryAfterSeconds: 2,
    });
  }

  /** Waits for a log that is away: event node and vault start side by side. After a while it goes on waiting behind the gate. */
  async #begin(): Promise<void> {
    const { clock, logPatienceMs = LOG_PATIENCE_MS } = this.options;
    const untilMs = clock.monotonicMs() + logPatienceMs;
    for (;;)
      try {
        return await this.#settle();
      } catch (error) {
        if (!isLogAway(error)) throw error;
        if (clock.monotonicMs() < untilMs) await pause();
        else break;
      }
    this.#opening = this.#reopen(LOG_AWAY).finally(() => (this.#opening = undefined));
  }

  /** One at a time: a report takes as long as the whole log. */
  #whileClosed<T>(work: (closed: Closed) => Promise<T>): Promise<T> {
    const next = this.#closedWork.then(async () => {
      if (this.#open || this.#opening || this.#ended) throw new MakulerError('nothing-lost');
      const { pool, custodian, log, clock, leaseMs } = this.options;
      const activity = await Activity.take(pool, clock, leaseMs, () => undefined);
      try {
        const facts = await this.#facts();
        const [refused, { token }] = [judge(facts), activity];
        return await work({ pool, custodian, clock, leaseMs, token, witness: log, facts, refused });
      } finally {
        await activity.giveUp();
      }
    });
    this.#closedWork = next.catch(() => undefined);
    return next;
  }

  async #facts(): Promise<GateFacts> {
    const { pool, custodian, log, olderLogExpected = false } = this.options;
    await migrate(pool, 'vault', SCHEMA);
    custodian.know(await readPlaces(pool));
    await custodian.load().catch(leaveForkToOperator);
    return { ...(await readFacts(pool, custodian, log)), handedOut: this.#handedOut.counts, olderLogExpected };
  }

  /** Reconciles until there is a verdict: the gate is open, or closed with a way out. */
  async #settle(): Promise<void> {
    try {
      await this.#reconcile();
    } catch (error) {
      if (!(error instanceof ClosedGate)) throw error;
      this.#gate = error.refused;
    }
  }

  async #reconcile(): Promise<void> {
    const { pool, custodian, clock, leaseMs } = this.options;
    await assertDurable(pool);
    const activity = await Activity.take(pool, clock, leaseMs, (why) => this.#interrupted(why));
    let keyring: BucketKeyring | undefined;
    try {
      const facts = await this.#facts();
      assertFits(judge(facts));
      const row = await found(pool, custodian, { token: activity.token, leaseMs, now: clock.now() });
      await takeOver(pool, row, activity.token, leaseMs);
      keyring = new BucketKeyring(row.installation, await openEpochKeys(pool, custodian, row), row.epoch);
      const applied = await replayJournal(pool, keyring, custodian);
      assertFits(judgeForgotten(await stillThere(pool, keyring, facts.log.forgot)));
      if (applied > 0) await noteReconciled(pool, applied);
      this.#handedOut.note(row.incarnation, Number(row.mint_sequence));
      // Processes may still hold what the life before this one leased to them: a shred waits for that too. Only the very
      // first life of an installation has none before it.
      const inheritedMs = this.#holders || row.mint_sequence !== '0' ? Math.max(leaseMs, row.lease_ms) : 0;
      this.#holders = new Holders(clock, leaseMs, inheritedMs, () => this.#mayRenew());
      const { holders } = this;
      const { installation, incarnation } = row;
      const life = { activity, keyring, holders, installation, incarnation };
      const open = assemble(this.options, life, this.#handedOut, (why) => this.#interrupted(why));
      await open.epochs.adopt();
      await notePlaces(pool, custodian, clock.now());
      // The right to write may have been lost meanwhile, and then nobody was told. Nothing is awaited between here and the gate.
      if (activity.confirmedAtMs === -Infinity) throw new MakulerError('vault-unavailable');
      this.#open = open;
      open.epochs.resume();
      this.#gate = applied > 0 ? { state: 'reconciled', applied } : { state: 'consistent' };
    } catch (error) {
      await activity.giveUp();
      keyring?.wipe();
      throw error;
    }
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

  /** Behind a closed gate, when what kept it closed may be mended. Resolves with the next verdict, whatever it is. */
  async #reconcileAgain(why: string): Promise<void> {
    if (this.#open || this.#ended) return;
    await (this.#opening ??= this.#reopen(why).finally(() => (this.#opening = undefined)));
  }

  async #reopen(why: string): Promise<void> {
    await this.#shut(why);
    while (!this.#ended) {
      try {
        return await this.#settle();
      } catch (error) {
        // Another vault may have the lock only because the server has not yet noticed that our connection is gone.
        if (error instanceof GateRefusal && error.reason !== 'not-active' && !isPassing(error))
          return this.#refused(error);
        if (isLogAway(error)) this.#gate = { state: 'closed', why: LOG_AWAY };
        await pause();
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
    // A seal must be over before another life reads which epochs there are.
    await open.epochs.stop();
    await open.activity.giveUp();
    open.keyring.wipe();
  }
}

/** Part of a lease within which the database must have answered, or no lease is given: half of them may get lost. */
const CONFIRMED_WITHIN = 0.6;

const LOG_PATIENCE_MS = 20_000;
const LOG_AWAY = 'the event log can’t be asked; it is waited for';
const isLogAway = (error: unknown): boolean => isMakulerError(error, 'store-unavailable');
const pause = () => new Promise((resolve) => setTimeout(resolve, 250));

/** A custodian that can't be read now may be a volume that comes back. */
const isPassing = ({ reason }: GateRefusal): boolean => reason === 'custodian-missing';
