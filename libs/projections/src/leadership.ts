import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Clock } from '#kernel';
import type { Lease, LeaseRight, Pool } from '#postgres';
import { held, LeaseContender } from '#postgres';
import type { Database, Write } from './build.js';
import { LeadershipLost } from './build.js';

export interface LeadershipOptions {
  readonly pool: Pool;
  readonly clock: Clock;
  /** After so long without a sign of life another runner takes over, in milliseconds. */
  readonly leaseMs: number;
  /** Called once when another runner is active. */
  readonly onStandby: () => void;
}

/**
 * One active runner per database, by a lease that is fenced: every transaction of the runner, that of rows and checkpoint among
 * them, is committed only while the lease is its own. A runner that was stopped and wakes up writes nothing any more.
 */
export class Leadership {
  private constructor(
    private readonly lease: Lease,
    /** Aborted when the lease was lost. */
    readonly lost: AbortSignal,
  ) {}

  /** Waits until no other runner is active. Rejects when `signal` is aborted or the database can't be asked. */
  static async acquire(
    { pool, clock, leaseMs, onStandby }: LeadershipOptions,
    signal: AbortSignal,
  ): Promise<Leadership> {
    const contender = new LeaseContender({ pool, name: 'projections', leaseMs, clock });
    const lost = new AbortController();
    for (let asked = 0; ; asked++) {
      signal.throwIfAborted();
      const lease = await contender.attempt(() => lost.abort());
      if (lease) return new Leadership(lease, lost.signal);
      if (asked === 0) onStandby();
      await delay(Math.min(250, leaseMs / 20), undefined, { signal });
    }
  }

  get right(): LeaseRight {
    return this.lease;
  }

  /** Writes by right of the lease, in one transaction. */
  writing(db: Database): Write {
    return (work) =>
      db.transaction().execute(async (transaction) => {
        await assertLed(transaction, this.lease);
        return work(transaction);
      });
  }

  /** Leaves it to whoever comes, at once. */
  release(): Promise<void> {
    return this.lease.release();
  }
}

/** Throws LeadershipLost unless the lease is still this runner's. Inside a transaction it stays so until the commit. */
export const assertLed = async (db: Database, right: LeaseRight): Promise<void> => {
  const { rows } = await sql<{ led: boolean }>`select ${held(right)} as led`.execute(db);
  if (!rows[0]?.led) throw new LeadershipLost();
};
