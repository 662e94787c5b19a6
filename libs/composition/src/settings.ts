import { statSync } from 'node:fs';
import type { Setting } from '#kernel';
import { redisUrl } from '#jobs';
import { optional, postgresUrl, text } from '#kernel';
import { eventStoreUrl } from '#ledger';
import type { TracingConfiguration } from '#observability';
import { TRACING_SETTINGS } from '#observability';

/** A file that is there: a missing key or certificate is a problem of the configuration, told at start. */
const file = (what: string): Setting<string> => ({
  parse: (path) => (statSync(path, { throwIfNoEntry: false })?.isFile() ? path : undefined),
  valid: `the path of ${what}`,
});

const ADDRESS = /^[^\s/:]+:\d{1,5}$|^\[[0-9a-f:]+\]:\d{1,5}$/i;

/** What every program that connects to the parts is configured by: spread it into its own settings. */
export const PARTS_SETTINGS = {
  EVENTSTORE_URL: eventStoreUrl,
  DATABASE_URL: postgresUrl,
  CONTROL_DATABASE_URL: postgresUrl,
  VAULT_ADDRESS: {
    parse: (t: string) => (t.split(',').every((address) => ADDRESS.test(address.trim())) ? t : undefined),
    valid: 'host:port of the vault; of the active one and its standbys, separated by commas and in any order',
  },
  VAULT_CLIENT_CERT_FILE: file('the certificate that this process shows to the vault (PEM)'),
  VAULT_CLIENT_KEY_FILE: file('the key of that certificate (PEM)'),
  VAULT_CA_FILE: file('the certificate of the authority that signed the vault’s (PEM)'),
  POLICY: text('a directory with a policy manifest', 'policy/jpi'),
  ...TRACING_SETTINGS,
} as const satisfies Record<string, Setting<unknown>>;

/** The values of PARTS_SETTINGS. */
export type PartsConfiguration = {
  readonly [K in Exclude<keyof typeof PARTS_SETTINGS, keyof TracingConfiguration>]: string;
} & Partial<TracingConfiguration>;

/** Where jobs are queued, for the programs that enqueue or do them: Redis where it is given, else beside the read models. */
export const JOBS_SETTINGS = { REDIS_URL: optional(redisUrl) } as const;
