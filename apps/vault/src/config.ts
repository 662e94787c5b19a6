import { SystemClock, optionalPort, optionalText, port, postgresUrl, readConfiguration, text } from '#kernel';
import type { Setting } from '#kernel';
import { EventStoreDb, eventStoreUrl } from '#ledger';
import { TRACING_SETTINGS, tracingOf } from '#observability/tracing';
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

const flag: Setting<boolean> = {
  parse: (value) => (value === '1' ? true : value === '0' ? false : undefined),
  valid: '1 or 0',
  fallback: false,
};

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** `30d`, `12h`, `15m`, `10s`, or `0` where that means something. */
const duration = (fallback: string, atLeastMs: number): Setting<number> => {
  const parse = (value: string): number | undefined => {
    const [, number, unit] = /^(\d{1,5})([smhd])$/.exec(value) ?? (value === '0' ? ['', '0', 's'] : []);
    const found = number === undefined || unit === undefined ? undefined : Number(number) * UNITS[unit]!;
    return found !== undefined && found >= atLeastMs ? found : undefined;
  };
  return { parse, valid: `a time like 30d, 12h, 15m or 10s, at least ${atLeastMs} ms`, fallback: parse(fallback)! };
};

/** Every variable that this program reads; docs/operations.md explains them (a spec compares). */
export const SETTINGS = {
  VAULT_DATABASE_URL: postgresUrl,
  EVENTSTORE_URL: eventStoreUrl,
  VAULT_HOST: text('a host name or address to listen on', '127.0.0.1'),
  VAULT_PORT: port(2114),
  VAULT_CERT_FILE: text('a PEM file'),
  VAULT_KEY_FILE: text('a PEM file'),
  VAULT_CA_FILE: text('a PEM file'),
  CUSTODIAN: directories,
  MAKULER_HOME: optionalText('a directory'),
  VAULT_LEASE_MS: milliseconds(5_000),
  VAULT_EPOCH_WINDOW: duration('30d', 0),
  VAULT_SEAL_EVERY: duration('24h', 1_000),
  VAULT_DRILL: flag,
  METRICS_PORT: optionalPort(),
  METRICS_HOST: text('an address to show metrics and health on', '127.0.0.1'),
  ...TRACING_SETTINGS,
};

/** The vault's configuration, and the only reader of the environment in this app. Throws ConfigurationError. */
export const readVaultConfiguration = (env: Record<string, string | undefined> = process.env): VaultServerOptions => {
  const values = readConfiguration(env, SETTINGS);
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
    epochWindowMs: values.VAULT_EPOCH_WINDOW,
    sealEveryMs: values.VAULT_SEAL_EVERY,
    drill: values.VAULT_DRILL,
    metrics: { METRICS_PORT: values.METRICS_PORT, METRICS_HOST: values.METRICS_HOST },
    tracing: tracingOf('vault', values),
    clock: new SystemClock(),
    ...(values.MAKULER_HOME === undefined ? {} : { home: values.MAKULER_HOME }),
  };
};
