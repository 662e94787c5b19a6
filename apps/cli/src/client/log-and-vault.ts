import { join } from 'node:path';
import { readSecret } from '#kernel';
import type { VaultAddress } from '#vault';
import { environment } from '../config.js';
import { Refusal } from '../refusal.js';
import { embeddedEventStoreUrl } from '../up/environment.js';
import { readJson } from '../up/files.js';
import type { Home } from '../up/home.js';
import { readRunning } from '../up/lock.js';
import type { Secrets } from '../up/secrets.js';
import { readState } from '../up/state.js';
import type { GlobalOptions } from './connection.js';
import { homeOf } from './connection.js';
import { vaultAddressOf } from './vault-address.js';

/** Where log and vault of a running system are asked directly, beside the API. */
export interface LogAndVault {
  /** Holds a password. */
  readonly eventStoreUrl: string;
  readonly vault: VaultAddress;
}

/**
 * From the environment as the system's other programs read it (EVENTSTORE_URL, VAULT_ADDRESS, VAULT_CLIENT_CERT_FILE,
 * VAULT_CLIENT_KEY_FILE, VAULT_CA_FILE), and from the home for what it does not say. Throws Refusal when neither says it.
 */
export const findLogAndVault = async (options: GlobalOptions): Promise<LogAndVault> => {
  const home = homeOf(options);
  const eventStoreUrl = readSecret(environment, 'EVENTSTORE_URL') ?? (await eventNodeOf(home));
  const vault = vaultInEnvironment() ?? (await vaultAddressOf(home));
  if (eventStoreUrl !== undefined && vault !== undefined) return { eventStoreUrl, vault };
  throw new Refusal(
    `Nothing runs in ${home.directory}.`,
    'Start it with `makuler up`, or say where it runs with --home, or with EVENTSTORE_URL and VAULT_ADDRESS.',
  );
};

const eventNodeOf = async (home: Home): Promise<string | undefined> => {
  if (!(await readRunning(home))) return undefined;
  const port = (await readState(home)).ports?.eventNode;
  const password = (await readJson<Secrets>(home.secrets))?.eventNode;
  return port === undefined || password === undefined
    ? undefined
    : embeddedEventStoreUrl(password, port, join(home.certificates, 'ca.crt'));
};

const vaultInEnvironment = (): VaultAddress | undefined => {
  const address = environment['VAULT_ADDRESS'];
  const certFile = environment['VAULT_CLIENT_CERT_FILE'];
  const keyFile = environment['VAULT_CLIENT_KEY_FILE'];
  const caFile = environment['VAULT_CA_FILE'];
  if (address === undefined) return undefined;
  if (certFile !== undefined && keyFile !== undefined && caFile !== undefined)
    return { address, certFile, keyFile, caFile };
  throw new Refusal(
    'VAULT_ADDRESS is given without a certificate to show there.',
    'Give VAULT_CLIENT_CERT_FILE, VAULT_CLIENT_KEY_FILE (those of `cli`) and VAULT_CA_FILE too.',
  );
};
