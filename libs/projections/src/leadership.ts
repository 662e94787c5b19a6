import { setTimeout as delay } from 'node:timers/promises';
import type { Pool, PoolClient } from '#postgres';

/**
 * One active runner per database: a session's advisory lock, which PostgreSQL gives back when the session ends, however
 * it ends. It saves work; what keeps rows right even with two runners is the checkpoint (`moveCheckpoint`).
 */
export class Leadership {
  private constructor(
    private readonly client: PoolClient,
    /** Aborted when the session was lost. */
    readonly lost: AbortSignal,
  ) {}

  /** Waits until no other runner is active. Rejects when `signal` is aborted or the database can't be asked. */
  static async acquire(pool: Pool, signal: AbortSignal): Promise<Leadership> {
    const client = await pool.connect();
    const lost = new AbortController();
    client.on('error', () => lost.abort());
    client.on('end', () => lost.abort());
    try {
      for (;;) {
        const { rows } = await client.query<{ mine: boolean }>(
          "select pg_try_advisory_lock(hashtextextended('makuler.projections', 0)) as mine",
        );
        if (rows[0]?.mine) return new Leadership(client, lost.signal);
        await delay(500, undefined, { signal });
      }
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  /** Ends the session, and with it the lock. */
  release(): void {
    this.client.release(true);
  }
}
