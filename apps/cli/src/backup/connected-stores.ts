import { SystemClock } from '#kernel';
import type { EventStore } from '#ledger';
import { EventStoreDb } from '#ledger';
import type { Pool } from '#postgres';
import { createPool } from '#postgres';
import type { VaultReport } from '#vault';
import { askVaultStatus } from '#vault';
import type { VaultArchive, VaultOperations } from '#vault/operations';
import { GrpcVaultArchive, GrpcVaultOperations } from '#vault/operations';
import { controlUrlOf } from '../client/control-url.js';
import type { GlobalOptions } from '../client/connection.js';
import type { LogAndVault } from '../client/log-and-vault.js';
import { findLogAndVault } from '../client/log-and-vault.js';

/** Connections to log, vault and control database, beside the programs that run on them. */
export interface ConnectedStores {
  readonly store: EventStore;
  readonly vault: VaultArchive;
  readonly operations: VaultOperations;
  readonly control: Pool;
  readonly clock: SystemClock;
  status(): Promise<VaultReport>;
  close(): Promise<void>;
}

/** `controlUrl` holds a password, like the address of the log. */
export const connectStores = ({
  eventStoreUrl,
  controlUrl,
  vault: address,
}: LogAndVault & { readonly controlUrl: string }): ConnectedStores => {
  const store = new EventStoreDb(eventStoreUrl);
  const control = createPool(controlUrl, { name: 'makuler', max: 4 });
  const vault = new GrpcVaultArchive(address);
  const operations = new GrpcVaultOperations(address);
  return {
    ...{ store, vault, operations, control },
    clock: new SystemClock(),
    status: () => askVaultStatus(address),
    close: async () => {
      vault.close();
      operations.close();
      await store.close();
      await control.end();
    },
  };
};

/** Those of the system that runs in the home, or that the environment names. Throws Refusal when neither says where. */
export const runningStores = async (options: GlobalOptions): Promise<ConnectedStores> =>
  connectStores({ ...(await findLogAndVault(options)), controlUrl: await controlUrlOf(options) });
