import type { StatusReply } from '../rpc/messages.js';
import type { VaultAddress } from './connection.js';
import { VaultConnection } from './connection.js';

/** What the vault says about itself: gate, epoch, counts, mirrors. */
export type VaultReport = StatusReply;

/** Asks once, over a connection of its own. Throws `vault-unavailable`. */
export const askVaultStatus = async (address: VaultAddress, withinMs = 2_000): Promise<VaultReport> => {
  const connection = new VaultConnection(address);
  return connection.call<StatusReply>('Status', {}, withinMs).finally(() => connection.close());
};
