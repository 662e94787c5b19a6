import type { GlobalOptions } from '../client/connection.js';

/** What of the backups somebody should look after; nothing while the stores can't be asked, which the status says anyway. */
export const backupWarningsOf = async (options: GlobalOptions): Promise<readonly string[]> => {
  // Loaded here: gRPC takes its time, and a status of a system that is down needs none.
  const [{ backupWarnings }, { backupsOf }, { runningStores }] = await Promise.all([
    import('#backup'),
    import('./backup.command.js'),
    import('./connected-stores.js'),
  ]);
  const stores = await runningStores(options).catch(() => undefined);
  if (!stores) return [];
  return backupsOf(stores)
    .inventory.list()
    .then((sets) => backupWarnings(sets, stores.clock.now()))
    .catch(() => [])
    .finally(() => stores.close());
};
