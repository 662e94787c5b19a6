import { Injectable } from '@nestjs/common';
import type { Day, OwnerRef } from '#kernel';
import { Clock, isMakulerError, isOutage, osloDay } from '#kernel';
import { Ledger } from '#ledger';
import { ClockGuard } from './clock-guard.js';
import { CurrentHoldings } from './current-holdings.js';
import { Due } from './due.js';
import { OwnerExpiry } from './owner-expiry.js';
import { finishSweep, mayRun, reconsiderSweep, sweeps, SWEEPS_STREAM } from './sweeps.js';

/** Carries sweeps out, owner by owner. Killed anywhere, the next run goes on: what is done is not due any more. */
@Injectable()
export class SweepRun {
  constructor(
    private readonly ledger: Ledger,
    private readonly guard: ClockGuard,
    private readonly due: Due,
    private readonly expiry: OwnerExpiry,
    private readonly clock: Clock,
  ) {}

  /**
   * Runs inside `inContext`. Gives how many keys were destroyed; none when the sweep has to wait for an approval. What fails
   * of one owner is thrown after all others were looked after.
   */
  async run(sweepId: string, signal?: AbortSignal): Promise<number> {
    await this.guard.assertConfirmed();
    const today = osloDay(this.clock.now());
    const now = await this.due.on(today);
    // The catches again, at the last moment: between beginning and running lies a queue, or a night.
    const { state } = await this.ledger.decide(sweeps, SWEEPS_STREAM, (present) =>
      reconsiderSweep(present, sweepId, now),
    );
    if (!mayRun(state, sweepId)) return 0;
    const shredded = await this.#expire([...now.unfinished, ...now.erased, ...now.owners], today, signal);
    await this.ledger.decide(sweeps, SWEEPS_STREAM, (present) => finishSweep(present, sweepId, shredded));
    return shredded;
  }

  /** What needs no approval any more: orders that were cut off, and what an erasure's plan retained or deferred until now. */
  async settle(signal?: AbortSignal): Promise<number> {
    await this.guard.assertConfirmed();
    const today = osloDay(this.clock.now());
    const { unfinished, erased } = await this.due.on(today);
    return this.#expire([...unfinished, ...erased], today, signal);
  }

  async #expire(owners: readonly OwnerRef[], today: Day, signal?: AbortSignal): Promise<number> {
    let shredded = 0;
    const failures: unknown[] = [];
    for (const owner of owners) {
      signal?.throwIfAborted();
      try {
        shredded += await this.expiry.run(owner, today);
      } catch (error) {
        // One owner whose key is damaged would else keep everybody after them from ever being looked at.
        if (concernsEverybody(error)) throw error;
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    return shredded;
  }
}

const concernsEverybody = (error: unknown): boolean =>
  isOutage(error) ||
  isMakulerError(error, 'projection-behind') ||
  isMakulerError(error, 'projection-failed') ||
  isMakulerError(error, 'clock-implausible');

/** Looks after the erased: a case that was closed may have been what a deferred scope waited for. */
@Injectable()
export class DeferralEnd {
  constructor(
    private readonly guard: ClockGuard,
    private readonly holdings: CurrentHoldings,
    private readonly expiry: OwnerExpiry,
    private readonly clock: Clock,
  ) {}

  /** Runs inside `inContext`. `partition`: the case or purchase to which something happened. */
  async run(partition: string): Promise<number> {
    await this.guard.assertConfirmed();
    const today = osloDay(this.clock.now());
    const read = await this.holdings.caughtUp();
    let shredded = 0;
    for (const owner of await read.ownersOfPartition(partition)) {
      const rows = await read.ofOwner(owner, today);
      if (rows.some(({ facts }) => facts.ownerErased)) shredded += await this.expiry.run(owner, today);
    }
    return shredded;
  }
}
