import { SystemClock, optionalText, port, readConfiguration, text, url } from '#kernel';
import type { Setting } from '#kernel';
import { EventStoreDb } from '#ledger';
import type { VaultServerOptions } from './server.js';

const directories: Setting<readonly string[]> = {
  parse: (value) => {
    const found = value.split(',').map((directory) => directory.trim());
    return found.every((directory) => directory !== '') && new Set(found).size === found.length ? found : undefined;
  },
  valid: 'the directories of the mirrors, separated by commas, each once',
};
const milliseconds = (fallback: number): Setting<number> => ({
  parse: (value) => (/^\d{2,5}$/.test(value) && Number(value) >= 50 ? Number(value) : undefined),
  valid: 'milliseconds, from 50 to 99999',
  fallback,
});

/** The vault's configuration, and the only reader of the environment in this app. Throws ConfigurationError. */
export const readVaultConfiguration = (env: Record<string, string | undefined> = process.env): VaultServerOptions => {
  const values = readConfiguration(env, {
    VAULT_DATABASE_URL: url(['postgres:', 'postgresql:']),
    EVENTSTORE_URL: url(['esdb:', 'esdb+discover:', 'kurrentdb:', 'kurrentdb+discover:']),
    VAULT_HOST: text('a host name or address to listen on', '127.0.0.1'),
    VAULT_PORT: port(2114),
    VAULT_CERT_FILE: text('a PEM file'),
    VAULT_KEY_FILE: text('a PEM file'),
    VAULT_CA_FILE: text('a PEM file'),
    CUSTODIAN: directories,
    MAKULER_HOME: optionalText('a directory'),
    VAULT_LEASE_MS: milliseconds(5_000),
  });
  return {
    databaseUrl: values.VAULT_DATABASE_URL,
    log: new EventStoreDb(values.EVENTSTORE_URL),
    host: values.VAULT_HOST,
    port: values.VAULT_PORT,
    certFile: values.VAULT_CERT_FILE,
    keyFile: values.VAULT_KEY_FILE,
    caFile: values.VAULT_CA_FILE,
    custodian: values.CUSTODIAN,
    leaseMs: values.VAULT_LEASE_MS,
    clock: new SystemClock(),
    ...(values.MAKULER_HOME === undefined ? {} : { home: values.MAKULER_HOME }),
  };
};
