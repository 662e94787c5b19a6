import type { Clock } from '#kernel';
import { MakulerError } from '#kernel';
import type { LeaseRight } from './lease-table.js';
import { assertHeld, giveUpLease, renewLease } from './lease-table.js';
import type { Pool, PoolClient } from './pool.js';

export interface LeaseOptions {
  readonly pool: Pool;
  /** What is leased: a database has one holder of it. Lower-case letters and hyphens. */
  readonly name: string;
  /** After so long without a renewal another may take it, in milliseconds. */
  readonly leaseMs: number;
  /** From one renewal to the next, in milliseconds (a fifth of the lease). */
  readonly renewEveryMs?: number;
  /** Its monotonic time only. */
  readonly clock: Clock;
}

/** Part of a lease by which the clocks of two machines may differ over its length. */
export const LEASE_MARGIN = 0.02;
const RENEWALS_PER_LEASE = 5;

/** What a contender has found and made when it took the lease. */
export interface Taken {
  readonly token: string;
  readonly number: number;
  readonly inheritedMs: number;
  /** Monotonic time from before it was taken. */
  readonly atMs: number;
}

/**
 * The right to be the one that writes, held until it is released or taken over. The row in the database is the truth: whoever
 * writes checks it inside the transaction (`inTransactionUnder`), so one who has lost the lease unnoticed (a process that was
 * stopped, a network that was away) writes nothing. What this object believes by its own clock says when to stop answering.
 */
export class Lease implements LeaseRight {
  readonly name: string;
  readonly token: string;
  /** Counts the holders that there ever were: each has a higher one than all before it. */
  readonly number: number;
  /**
   * How long the holder before may go on believing in its lease, from the moment of taking it, in milliseconds. 0 when it gave it
   * up; a whole lease otherwise, whatever the server's clock says: that one may have been set in between.
   */
  readonly inheritedMs: number;
  #confirmedAtMs: number;
  #isOver = false;
  #renewing = false;
  #unanswered = 0;
  readonly #everyMs: number;
  readonly #timer: NodeJS.Timeout;

  /** @internal made by `LeaseContender` */
  constructor(
    private readonly options: LeaseOptions,
    private readonly client: PoolClient,
    { token, number, inheritedMs, atMs }: Taken,
    private readonly onLost: (why: string) => void,
  ) {
    this.name = options.name;
    this.token = token;
    this.number = number;
    this.inheritedMs = inheritedMs;
    this.#confirmedAtMs = atMs;
    this.#everyMs = options.renewEveryMs ?? options.leaseMs / RENEWALS_PER_LEASE;
    client.on('error', () => this.#lose('the connection to the database was lost'));
    client.on('end', () => this.#lose('the connection to the database was lost'));
    this.#timer = setInterval(() => this.#beat(), this.#everyMs);
    this.#timer.unref();
  }

  /**
   * Whether nobody else can have it: counted from before the last renewal was sent, so it ends before the row's time does. One
   * that has only run out (the process was stopped) holds again once it is renewed, if nobody has taken it meanwhile.
   */
  isHeld(): boolean {
    const { clock, leaseMs } = this.options;
    return clock.monotonicMs() - this.confirmedAtMs < leaseMs * (1 - LEASE_MARGIN);
  }
  /** Monotonic time from before the last renewal was sent: then it was surely ours. */
  get confirmedAtMs(): number {
    return this.#isOver ? -Infinity : this.#confirmedAtMs;
  }
  /** Lost or released, for good. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Asks the database. Throws LeaseLost when another has taken over, `database-unavailable`. */
  confirm(): Promise<void> {
    return assertHeld(this.options.pool, this);
  }

  /** Gives it up: the next may take it at once, and knows that nobody believes in it any more. */
  async release(): Promise<void> {
    if (!this.#end()) return;
    await within(this.options.leaseMs, giveUpLease(this.client, this)).catch(() => undefined);
    // Closed rather than returned to the pool: with this session the last sign of life ends.
    this.client.release(true);
  }

  #beat(): void {
    if (this.#renewing) {
      // Counted in beats and not in time: a process that was stopped first reads the answer that has long been there.
      if (++this.#unanswered * this.#everyMs >= this.options.leaseMs) this.#lose('the database does not answer');
      return;
    }
    this.#renewing = true;
    const askedAtMs = this.options.clock.monotonicMs();
    renewLease(this.client, this, this.options.leaseMs)
      .then(
        (renewed) => {
          if (renewed) this.#confirmedAtMs = askedAtMs;
          else this.#lose('another has taken over');
        },
        () => this.#lose('the database does not answer'),
      )
      .finally(() => {
        this.#renewing = false;
        this.#unanswered = 0;
      });
  }

  #lose(why: string): void {
    if (!this.#end()) return;
    this.client.release(true);
    this.onLost(why);
  }

  /** Whether it was not over before. */
  #end(): boolean {
    clearInterval(this.#timer);
    const first = !this.#isOver;
    this.#isOver = true;
    return first;
  }
}

/** A network that swallows everything must not hold its callers for ever. Throws `database-unavailable`. */
export const within = async <T>(ms: number, work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new MakulerError('database-unavailable', { detail: 'The database does not answer.' })),
      ms,
    );
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
};
