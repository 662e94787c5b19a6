import type { Clearing, DestructionReport, EpochsReport, SealReport } from '../../operations-contract.js';
import { Faults } from '../notice.js';
import { clearingOf, nextSealAt } from './clearing.js';
import { RootDestruction } from './destruction.js';
import { assertAgreed } from './agreed-clock.js';
import { welcomeMirrors } from './epoch-keys.js';
import { adoptEpochs, readEpochs } from './epoch-table.js';
import { Sealing } from './sealing.js';
import type { EpochSurroundings } from './surroundings.js';

const TEND_EVERY_MS = 5_000;

/** Epochs of one life of the vault: sealing and destroying in turn, never both at once, and what can be said about dates. */
export class Epochs {
  readonly #sealing: Sealing;
  readonly #destruction: RootDestruction;
  #seal: Promise<SealReport> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #tending: NodeJS.Timeout | undefined;
  #isOver = false;
  readonly #faults = { finish: new Faults(), tend: new Faults() };

  constructor(private readonly surroundings: EpochSurroundings) {
    this.#sealing = new Sealing(surroundings);
    this.#destruction = new RootDestruction(surroundings, () => this.#sealing.seal(true));
  }

  /**
   * What the life before this one left undone: dates, a seal, a destruction that was begun. To be called when the journal has
   * been applied, never before: a bucket in which a shred is still to be applied is not dirty yet, and would be wrapped anew.
   */
  async adopt(): Promise<void> {
    const { write, custodian, keyring, clock, installation } = this.surroundings;
    await write((client) => adoptEpochs(client, custodian.state!, keyring.current, clock.now()));
    await welcomeMirrors(this.surroundings, custodian, keyring, installation);
  }
  resume(): void {
    this.#tending = setInterval(() => void this.#unasked('tend', this.tend()), TEND_EVERY_MS).unref();
    // What fails is tried again by the next seal and the next round of destruction, which say so; the reports show it.
    void this.#unasked(
      'finish',
      this.#inTurn(async () => {
        if (await this.#sealing.isUnfinished()) await this.#sealing.seal(false);
        await this.#destruction.destroyBegun();
      }),
    );
  }

  /** Nobody hears how this ended but the log. */
  async #unasked(what: 'finish' | 'tend', work: Promise<void>): Promise<void> {
    const { tell } = this.surroundings;
    const faults = this.#faults[what];
    try {
      await work;
      if (faults.over() && what === 'tend') tell({ event: 'epochs.recovered', what });
    } catch (error) {
      // A life that ends breaks off what it has under way: that is no fault.
      const fault = this.#isOver ? undefined : faults.met(error);
      if (fault) tell({ event: 'epochs.failed', what, ...fault });
    }
  }

  /** Notices mirrors that went, brings back those that came, and makes up for what they missed. */
  tend(): Promise<void> {
    return this.#inTurn(() => Promise.resolve());
  }

  /** `callersNow`: the caller's clock. Throws `clock-implausible` when this one is far from it. */
  async seal(force: boolean, callersNow?: Date): Promise<SealReport> {
    assertAgreed(this.surroundings.clock, callersNow);
    const underWay = this.#seal;
    if (underWay) {
      const report = await underWay;
      // What is forced must not come to nothing because the one under way found nothing to do.
      return report.sealed || !force ? report : this.seal(force);
    }
    const seal = this.#inTurn(() => this.#sealing.seal(force)).finally(() => {
      if (this.#seal === seal) this.#seal = undefined;
    });
    return (this.#seal = seal);
  }

  /** As `seal`. */
  async destroyRoots(callersNow?: Date): Promise<DestructionReport> {
    assertAgreed(this.surroundings.clock, callersNow);
    return this.#inTurn(() => this.#destruction.destroyDue());
  }

  /** Resolves when nothing of this life works on epochs any more. */
  async stop(): Promise<void> {
    clearInterval(this.#tending);
    this.#isOver = true;
    this.#sealing.stop();
    await this.#turn;
  }

  async report(): Promise<EpochsReport> {
    const { keyring, custodian, pool } = this.surroundings;
    const state = custodian.state!;
    const { current } = keyring;
    const openedAt = await this.#openedAt(current);
    return {
      current,
      openedAt: openedAt.toISOString(),
      sealDueAt: new Date(openedAt.getTime() + this.surroundings.sealEveryMs).toISOString(),
      nextSealAt: this.#nextSealAt(openedAt).toISOString(),
      sealing: await this.#sealing.isUnfinished(),
      sealNeeded: await this.#sealing.isNeeded(),
      retiring: state.retiring.map(({ epoch, sealedAt, destroyAt, confirmed }) => ({
        epoch,
        sealedAt,
        destroyAt,
        outstanding: state.mirrors.filter((id) => !confirmed.includes(id)).map((id) => custodian.nameOf(id)),
      })),
      lost: (await readEpochs(pool)).filter(({ lost_at: at }) => at !== null).map(({ epoch }) => epoch),
    };
  }

  async clearing(orderId: string, knownEpoch: number): Promise<Clearing | undefined> {
    const { pool, keyring, custodian, windowMs } = this.surroundings;
    const { rows } = await pool.query<{ epoch: number; live_erased_at: Date | null }>(
      'select epoch, live_erased_at from receipt where order_id = $1',
      [orderId],
    );
    const [receipt] = rows;
    if (!receipt && knownEpoch === 0) return undefined;
    return clearingOf({
      epoch: Math.max(receipt?.epoch ?? 0, knownEpoch),
      liveErasedAt: receipt?.live_erased_at ?? undefined,
      current: keyring.current,
      custodian: custodian.state!,
      table: await readEpochs(pool),
      nextSealAt: this.#nextSealAt(await this.#openedAt(keyring.current)),
      windowMs,
    });
  }

  /** An epoch that a seal is just beginning stands in the table once that is committed: it is opened now. */
  async #openedAt(current: number): Promise<Date> {
    const { pool, clock } = this.surroundings;
    return (await readEpochs(pool)).find(({ epoch }) => epoch === current)?.opened_at ?? clock.now();
  }
  #nextSealAt(openedAt: Date): Date {
    const { sealEveryMs, clock } = this.surroundings;
    return nextSealAt(openedAt, sealEveryMs, clock.now());
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(async () => {
      const { custodian, keyring, installation } = this.surroundings;
      await custodian.refresh();
      await welcomeMirrors(this.surroundings, custodian, keyring, installation);
      return work();
    });
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
