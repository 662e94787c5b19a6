import { randomUUID } from 'node:crypto';
import type { LeaseOptions, Taken } from './lease.js';
import { Lease, LEASE_MARGIN, within } from './lease.js';
import type { SeenLease } from './lease-table.js';
import { endSession, seeLease, takeLease } from './lease-table.js';
import type { PoolClient } from './pool.js';

/** What the holder before has under way may end by itself within this time; then its sessions are ended. */
const PATIENCE_MS = 500;

/**
 * Whoever wants a lease, for as long as it wants it. It may be taken when its holder has released it; when the holder's session
 * is gone; or when it was not renewed for a whole lease, by the server's clock or by what this process has watched by its own: a
 * server's clock that is set back must not keep a dead holder in its place, and one that is set forward only costs a handover.
 */
export class LeaseContender {
  #watched = { mark: '', sinceMs: 0 };

  /** Throws for a name that is none. */
  constructor(private readonly options: LeaseOptions) {
    if (!/^[a-z][a-z-]*$/.test(options.name)) throw new Error(`"${options.name}" cannot name a lease`);
  }

  /**
   * Takes the lease if it may be taken now; `undefined` when another holds it. Resolves when nothing that the holder before has
   * under way can be committed any more. `onLost` is called once, when the lease may be another's. Throws `database-unavailable`.
   */
  async attempt(onLost: (why: string) => void): Promise<Lease | undefined> {
    const { pool, leaseMs } = this.options;
    const client = await pool.connect();
    try {
      const taken = await within(leaseMs + 4 * PATIENCE_MS, this.#take(client));
      if (taken) return new Lease(this.options, client, taken, onLost);
      client.release();
      return undefined;
    } catch (error) {
      // Should it have been taken all the same, the end of the session leaves it to whoever comes.
      client.release(true);
      throw error;
    }
  }

  async #take(client: PoolClient): Promise<Taken | undefined> {
    const { pool, name, leaseMs, clock } = this.options;
    const seen = await seeLease(pool, client, name);
    if (!this.#isFree(seen)) return undefined;
    // Renewals end with the session, those too that a stopped process has sent and the server has not read yet.
    if (!seen.gone) await endSession(client, name, seen);
    const right = { name, token: randomUUID() };
    const atMs = clock.monotonicMs();
    const number = await this.#pushingAside(seen.own_pid, takeLease(client, right, leaseMs, seen));
    return number === undefined
      ? undefined
      : { token: right.token, number, inheritedMs: seen.released ? 0 : seen.lease_ms, atMs };
  }

  #isFree({ number, renewals, lease_ms: leaseMs, released, expired, gone }: SeenLease): boolean {
    const mark = `${number}/${renewals}`;
    const nowMs = this.options.clock.monotonicMs();
    if (this.#watched.mark !== mark) this.#watched = { mark, sinceMs: nowMs };
    return released || gone || expired || nowMs - this.#watched.sinceMs > leaseMs * (1 + LEASE_MARGIN);
  }

  /**
   * A transaction that the holder before has open keeps its lock on the row until it ends, and that of a stopped process, or of a
   * machine that vanished, would never end by itself: whoever is in the way for long is ended, and what it did is rolled back.
   */
  async #pushingAside<T>(ownPid: number, taking: Promise<T>): Promise<T> {
    const push = () =>
      void this.options.pool
        .query('select pg_terminate_backend(pid) from unnest(pg_blocking_pids($1)) as blocking(pid)', [ownPid])
        .catch(() => undefined);
    const timer = setInterval(push, PATIENCE_MS);
    return taking.finally(() => clearInterval(timer));
  }
}
