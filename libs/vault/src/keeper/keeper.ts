import type { OwnerRef, ScopeId } from '#kernel';
import { correlated, MakulerError } from '#kernel';
import { assertDurable, migrate } from '#postgres';
import type { ArchiveFrame } from '../archive-contract.js';
import type { Clearing, DestructionReport, EpochsReport, MirrorReport, SealReport } from '../operations-contract.js';
import type { FenceOrder, ScopeInfo, ShredOrder, ShredReceipt } from '../shredder-contract.js';
import type { ScopeRequest } from '../vault.js';
import type { VaultStanding, WitnessedCheckpoint } from '../witness-contract.js';
import type { Activity } from './active.js';
import { Candidacy, pause, StandingBy } from './active.js';
import { backUpVault, restoreVault } from './archive.js';
import { ClosedGate, leaveForkToOperator } from './closed-gate.js';
import { reportMirrors } from './custodian/mirror-report.js';
import { readPlaces } from './custodian/mirror-table.js';
import { GateRefusal, type GateState, isPassing } from './gate.js';
import { readFacts } from './gate-facts.js';
import type { GateFacts } from './gate-judgement.js';
import { judge } from './gate-judgement.js';
import { HandedOut } from './handed-out.js';
import type { Holders } from './holders.js';
import type { KeeperOptions } from './keeper-options.js';
import { lookUp, type Looked } from './lookup.js';
import type { Closed } from './losses.js';
import type { MintBatch } from './mint.js';
import type { OpenVault } from './open-vault.js';
import { openLife } from './opening.js';
import { scopesOf } from './owner-scopes.js';
import { Recovery } from './recovery.js';
import { SCHEMA } from './schema.js';
import { VaultCounts } from './vault-counts.js';
import { isDeviceShared, mirrorStates, type VaultStatus } from './status.js';
import { isLogAway, LOG_AWAY, STANDBY, ToldGate } from './told-gate.js';
import { keepCheckpoint, standingOf } from './witness.js';

/**
 * The vault itself: opens the gate, keeps it closed while anything that it rests on is away or does not fit together, and
 * hands each operation to its part. Every operation throws `vault-unavailable` while the gate is closed.
 */
export class Keeper {
  readonly #gate: ToldGate;
  #open: OpenVault | undefined;
  #opening: Promise<void> | undefined;
  #closedWork: Promise<unknown> = Promise.resolve();
  /** What leads out of a closed gate. */
  readonly recovery: Recovery;
  readonly #handedOut = new HandedOut((why) => this.#interrupted(why));
  readonly #counts: VaultCounts;
  #ended = false;
  #holders: Holders | undefined;
  readonly #candidacy: Candidacy;
  /** Held while this is the active vault, behind an open gate or behind one that an operator can lead out of. */
  #activity: Activity | undefined;
  #isStandby = false;

  private constructor(private readonly options: KeeperOptions) {
    this.#gate = new ToldGate((notice) => options.notice?.(notice));
    this.#counts = new VaultCounts(options.pool, options.clock);
    this.#candidacy = new Candidacy(options);
    this.recovery = new Recovery({
      pool: options.pool,
      whileClosed: (work) => this.#whileClosed(work),
      reconcile: () => this.#reconcileAgain('losses were accepted'),
      keyring: () => this.#current().keyring,
      write: () => this.#current().activity.write,
    });
  }

  /**
   * Reconciles, and opens the gate; a gate that must stay closed and has a way out is a start too, and `gate` says which; so is
   * standing by while another vault is active.
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
    return this.#gate.now;
  }
  /** Whether this is the active vault of its database, whether its gate is open or not. */
  get isActive(): boolean {
    return this.#activity?.isHeld() ?? false;
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

  async mirrors(): Promise<readonly MirrorReport[]> {
    this.#assertNotStandby();
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
    this.#closedActivity();
    await this.options.custodian.repair(id);
    await this.#reconcileAgain('a mirror was repaired');
  }

  /** A copy of the database at one moment. Throws `vault-unavailable` while the gate is closed: what is refused is no backup. */
  backup(): AsyncGenerator<ArchiveFrame, void> {
    this.#current();
    return backUpVault(this.options.pool);
  }

  /** Fills the empty database that the gate is closed for, and reconciles anew. Resolves with the next verdict, whatever it is. */
  async restore(frames: AsyncIterable<ArchiveFrame>, incarnation: string): Promise<void> {
    this.#assertNotStandby();
    const { state } = this.options.custodian;
    if (this.gate.state !== 'database-empty' || !state) throw new MakulerError('restore-not-empty');
    const { token, write } = this.#closedActivity();
    const { installation } = state;
    await restoreVault(this.options.pool, frames, { installation, incarnation, token, write });
    await this.#reconcileAgain('the vault was restored');
  }

  async standing(): Promise<VaultStanding> {
    this.#assertNotStandby();
    return { serving: this.#open !== undefined, ...(await standingOf(this.options.pool, this.options.custodian)) };
  }
  /** Only behind an open gate: a vault that is not the one that the log was written with witnesses nothing of it. */
  async witness(checkpoint: WitnessedCheckpoint): Promise<void> {
    const { assertActive, activity } = this.#current();
    await activity.write(async (client) => {
      await assertActive(client);
      await keepCheckpoint(this.options.custodian, checkpoint);
    });
  }

  /** Answers behind a closed gate too: what is known of the database then, and what to do. */
  async status(): Promise<VaultStatus> {
    const { custodian, home } = this.options;
    // What a standby once knew of the custodian is old, and what the active one is just writing there is none of its business.
    const isKnown = this.gate.state !== 'standby';
    return {
      gate: this.gate,
      installation: isKnown ? custodian.state?.installation : undefined,
      ...(await this.#counts.now()),
      mirrors: isKnown ? await mirrorStates(custodian) : [],
      sharedDevice: isKnown && (await isDeviceShared(custodian, home)),
      holders: this.#open?.holders.count ?? 0,
      epochs: await this.#open?.epochs.report(),
    };
  }

  /** Ends cleanly: applied orders are dissolved in the journal, the right to write is given up, keys are wiped. */
  async stop(): Promise<void> {
    this.#ended = true;
    await this.#opening?.catch(() => undefined);
    await this.#open?.shredding.flatten().catch(() => undefined);
    await this.#shut({ state: 'closed', why: 'the vault is stopping' });
  }

  #current(): OpenVault {
    // Asked of the clock each time: a process that was stopped knows of no loss yet when it wakes up, and must not answer.
    if (this.#open?.activity.isHeld()) return this.#open;
    this.#assertNotStandby();
    const why = 'why' in this.gate ? this.gate.why : this.#open ? LAPSED : this.gate.state;
    throw new MakulerError('vault-unavailable', {
      detail: `The vault's gate is closed: ${why}`,
      retryAfterSeconds: 2,
    });
  }

  #assertNotStandby(): void {
    if (this.gate.state === 'standby')
      throw new MakulerError('vault-unavailable', { detail: `This vault is a standby: ${this.gate.why}` });
  }

  /** The right to write behind a closed gate that an operator can lead out of. Throws `vault-unavailable` otherwise. */
  #closedActivity(): Activity {
    if (!this.#activity?.isHeld() || this.#opening || this.#ended) this.#current();
    return this.#activity!;
  }

  /** Waits for a log that is away: event node and vault start side by side. After a while it goes on waiting behind the gate. */
  async #begin(): Promise<void> {
    const { clock, custodian, leaseMs, logPatienceMs = LOG_PATIENCE_MS } = this.options;
    const begunAtMs = clock.monotonicMs();
    const goesOnWithin = (ms: number) => clock.monotonicMs() - begunAtMs < ms;
    let why = LOG_AWAY;
    for (;;)
      try {
        return await this.#settle();
      } catch (error) {
        if (!isLogAway(error) && !(error instanceof StandingBy)) throw error;
        why = isLogAway(error) ? LOG_AWAY : STANDBY;
        if (why === LOG_AWAY) this.#gate.waits(error);
        // The server may need a moment to notice that a vault which was killed is gone.
        if (!goesOnWithin(why === STANDBY ? Math.min(STANDBY_AFTER_MS, 2 * leaseMs) : logPatienceMs)) break;
        await pause(leaseMs);
      }
    // A place that is unfit is found now, and not on the day on which this vault is to take over.
    if (why === STANDBY) for (const mirror of custodian.mirrors) await mirror.epochs();
    this.#isStandby = why === STANDBY;
    void this.#reopening({ state: this.#isStandby ? 'standby' : 'closed', why });
  }

  /** One at a time: a report takes as long as the whole log. */
  #whileClosed<T>(work: (closed: Closed) => Promise<T>): Promise<T> {
    const next = this.#closedWork.then(async () => {
      this.#assertNotStandby();
      if (this.#open || this.#opening || this.#ended) throw new MakulerError('nothing-lost');
      const { pool, custodian, log, clock, leaseMs } = this.options;
      const { token, write } = this.#closedActivity();
      const facts = await this.#facts();
      return work({ pool, write, custodian, clock, leaseMs, token, witness: log, facts, refused: judge(facts) });
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
      this.#gate.stands(error.refused);
    }
  }

  async #reconcile(): Promise<void> {
    const { pool, custodian } = this.options;
    await assertDurable(pool);
    const activity = await this.#candidacy.take((why) => {
      this.#gate.leaseLost(why);
      this.#interrupted(why);
    });
    this.#gate.leaseTaken(activity.isInherited);
    this.#activity = activity;
    custodian.confirm = activity.confirm;
    try {
      const { open, applied } = await openLife(this.options, {
        ...{ activity, facts: await this.#facts(), handedOut: this.#handedOut, hasLived: this.#holders !== undefined },
        mayRenew: () => this.#mayRenew(),
        interrupt: (why) => this.#interrupted(why),
      });
      this.#holders = open.holders;
      // The right to write may have been lost meanwhile, and then nobody was told. Nothing is awaited between here and the gate.
      if (activity.isOver) {
        open.keyring.wipe();
        throw new MakulerError('vault-unavailable');
      }
      this.#open = open;
      open.epochs.resume();
      this.#gate.stands(applied > 0 ? { state: 'reconciled', applied } : { state: 'consistent' });
    } catch (error) {
      // Behind a gate with a way out it stays the active one: an operator must not be sent from one vault to the other.
      if (!(error instanceof ClosedGate) || activity.isOver) await this.#giveUp();
      throw error instanceof ClosedGate && activity.isOver ? new MakulerError('vault-unavailable') : error;
    }
  }

  #mayRenew(): boolean {
    const { clock, leaseMs } = this.options;
    return clock.monotonicMs() - (this.#open?.activity.confirmedAtMs ?? -Infinity) < leaseMs * CONFIRMED_WITHIN;
  }

  async #giveUp(): Promise<void> {
    const activity = this.#activity;
    this.#activity = undefined;
    await activity?.giveUp();
  }

  /** Closes the gate at once and opens it again when database and custodian are back and were reconciled anew. */
  #interrupted(why: string): void {
    if (this.#ended || this.#opening || this.gate.state === 'opening' || !this.#activity) return;
    void this.#reopening({ state: 'closed', why });
  }

  /** Behind a closed gate, when what kept it closed may be mended. Resolves with the next verdict, whatever it is. */
  async #reconcileAgain(why: string): Promise<void> {
    if (this.#open || this.#ended) return;
    await (this.#opening ?? this.#reopening({ state: 'closed', why }));
  }

  /** The request that found it out is not whose work this is: what is logged from now on, for a whole life of the vault, is nobody's. */
  #reopening(gate: GateState): Promise<void> {
    return (this.#opening = correlated({}, () => this.#reopen(gate)).finally(() => (this.#opening = undefined)));
  }

  async #reopen(gate: GateState): Promise<void> {
    await this.#shut(gate);
    while (!this.#ended) {
      try {
        await this.#settle();
        return this.#stand(false);
      } catch (error) {
        if (error instanceof GateRefusal && !isPassing(error)) return this.#refused(error);
        if (error instanceof StandingBy) {
          this.#gate.stands({ state: 'standby', why: STANDBY });
          this.#stand(true);
        } else this.#gate.waits(error);
        await pause(this.options.leaseMs);
      }
    }
  }

  #stand(isStandby: boolean): void {
    if (isStandby !== this.#isStandby) this.options.onStanding?.(isStandby ? 'standby' : 'active');
    this.#isStandby = isStandby;
  }

  #refused(refusal: GateRefusal): void {
    this.#ended = true;
    void this.#shut({ state: 'closed', why: refusal.message });
    this.options.onRefused(refusal);
  }

  async #shut(gate: GateState): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    this.#gate.stands(gate);
    if (open) {
      this.holders.endAll();
      // A seal must be over before another life reads which epochs there are.
      await open.epochs.stop();
    }
    await this.#giveUp();
    open?.keyring.wipe();
  }
}

/** Part of a lease within which the database must have confirmed the right, or no lease is given: half of the questions may get lost. */
const CONFIRMED_WITHIN = 0.6;
/** So long a start waits for a vault that may just have been killed, before it says that it stands by. */
const STANDBY_AFTER_MS = 1_000;
const LAPSED = 'whether this vault is still the active one is not known';
const LOG_PATIENCE_MS = 20_000;
