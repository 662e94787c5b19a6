import { randomUUID } from 'node:crypto';
import type { Clock } from '#kernel';
import type { Pool, PoolClient } from '#postgres';
import { GateRefusal } from './gate.js';

/** One vault writes. The number is arbitrary and ours: "makuler vault" in the space of advisory locks of its database. */
const LOCK = "hashtextextended('makuler.vault.active', 0)";

/** What the vault's row says about keys. */
export interface SequenceRow {
  readonly incarnation: string;
  readonly mint_sequence: string;
}

/** The vault's row, or `undefined` when another vault has taken over. */
export const readSequence = async (client: PoolClient, token: string): Promise<SequenceRow | undefined> =>
  (await client.query<SequenceRow>('select incarnation, mint_sequence from vault where active = $1', [token])).rows[0];

/**
 * The right to be the active vault of a database: a session's advisory lock, and a random token in the `vault` row that
 * every write checks. The lock keeps a second vault out; the token stops a first one that has lost the lock unnoticed.
 */
export class Activity {
  readonly token = randomUUID();
  #lost: string | undefined;
  readonly #timer: NodeJS.Timeout;

  private constructor(
    private readonly client: PoolClient,
    private readonly clock: Clock,
    onLost: (why: string) => void,
    beatMs: number,
  ) {
    this.#confirmedAtMs = clock.monotonicMs();
    const lose = (why: string) => {
      if (this.#lost !== undefined) return;
      this.#lost = why;
      clearInterval(this.#timer);
      onLost(why);
    };
    client.on('error', () => lose('the connection to the database was lost'));
    client.on('end', () => lose('the connection to the database was lost'));
    let beating = false;
    this.#timer = setInterval(() => {
      if (beating) return;
      beating = true;
      const askedAtMs = this.clock.monotonicMs();
      this.client
        .query('select 1')
        .then(
          () => (this.#confirmedAtMs = askedAtMs),
          () => lose('the database does not answer'),
        )
        .finally(() => (beating = false));
    }, beatMs);
    this.#timer.unref();
  }
  #confirmedAtMs: number;

  /** Monotonic time at which the lock was last known to be ours. Leases are given only for a while after it. */
  get confirmedAtMs(): number {
    return this.#lost === undefined ? this.#confirmedAtMs : -Infinity;
  }

  /**
   * Takes the lock, or throws a GateRefusal `not-active` when another vault keeps it for two leases (the server may need a
   * moment to notice that a killed one is gone). `onLost` is called once, when the right may be gone.
   */
  static async take(pool: Pool, clock: Clock, leaseMs: number, onLost: (why: string) => void): Promise<Activity> {
    const client = await pool.connect();
    const untilMs = clock.monotonicMs() + 2 * leaseMs;
    for (;;) {
      const { rows } = await client.query<{ taken: boolean }>(`select pg_try_advisory_lock(${LOCK}) as taken`);
      if (rows[0]?.taken) return new Activity(client, clock, onLost, leaseMs / 5);
      if (clock.monotonicMs() > untilMs) break;
      await new Promise((resolve) => setTimeout(resolve, leaseMs / 20));
    }
    client.release();
    throw new GateRefusal('not-active', 'Another vault is active on this database.');
  }

  async giveUp(): Promise<void> {
    clearInterval(this.#timer);
    const lost = this.#lost !== undefined;
    this.#lost ??= 'given up';
    // The connection is closed rather than returned: its end is what surely frees the lock.
    if (!lost) await this.client.query(`select pg_advisory_unlock(${LOCK})`).catch(() => undefined);
    this.client.release(true);
  }
}
