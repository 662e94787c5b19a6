import { JOBS_SETTINGS, PARTS_SETTINGS } from '#composition';
import type { Setting } from '#kernel';
import { optionalPort, optionalText, readConfiguration, text } from '#kernel';

const leaseMs: Setting<number> = {
  parse: (value) => (/^\d{2,5}$/.test(value) && Number(value) >= 50 ? Number(value) : undefined),
  valid: 'milliseconds without a sign of life after which a standby takes over, from 50 to 99999',
  fallback: 5_000,
};

/** Every variable that this program reads; docs/operations.md explains them (a spec compares). */
export const SETTINGS = {
  ...PARTS_SETTINGS,
  ...JOBS_SETTINGS,
  MAKULER_HOME: optionalText('the directory of this installation'),
  PROJECTOR_LEASE_MS: leaseMs,
  METRICS_PORT: optionalPort(),
  METRICS_HOST: text('an address to show metrics on', '127.0.0.1'),
};

/** The projector's configuration; the only place that reads its environment. Throws ConfigurationError with every problem at once. */
export const readConfig = () => readConfiguration(process.env, SETTINGS);

export type ProjectorConfig = ReturnType<typeof readConfig>;
