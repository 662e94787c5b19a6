import type { VaultOperations } from '#vault/operations';
import type { Home } from '../up/home.js';
import { vaultAddressOf } from './vault-address.js';

/** Asks the vault under the command line's own certificate; `undefined` when it can't be asked. */
export const askVault = async <T>(
  home: Home,
  ask: (operations: VaultOperations) => Promise<T>,
): Promise<T | undefined> => {
  const address = await vaultAddressOf(home);
  if (!address) return undefined;
  // Loaded here: gRPC takes its time, and most commands speak HTTP only.
  const { GrpcVaultOperations } = await import('#vault/operations');
  const operations = new GrpcVaultOperations(address);
  return ask(operations)
    .catch(() => undefined)
    .finally(() => operations.close());
};
