import { lockOf } from '../../apps/api/src/commands/idempotency.js';
import type { Cluster } from './cluster.js';
import { eventually } from './installation.js';

/**
 * Holds one command of an integrator up, wherever it is sent, before its ids are reserved: by the lock that an api takes for its
 * key. Nothing else waits for that, and no limit of time ends it.
 */
export const holdUp = async (cluster: Cluster, path: string, key: string) => {
  const client = await cluster.database('control').connect();
  const lock = lockOf({ actor: cluster.actor('integrator'), route: `POST ${path}`, key });
  await client.query('select pg_advisory_lock($1)', [lock]);
  const waiting = `select from pg_locks where locktype = 'advisory' and not granted and pg_backend_pid() = any(pg_blocking_pids(pid))`;
  return {
    /** Resolves when the command is there and waits. */
    isHeld: () =>
      eventually(
        () => client.query(waiting),
        ({ rowCount }) => rowCount === 1,
      ),
    letGo: async () => {
      await client.query('select pg_advisory_unlock($1)', [lock]);
      client.release();
    },
  };
};
