import { JOBS_SETTINGS, PARTS_SETTINGS } from '#composition';
import { optionalPort, optionalText, readConfiguration, text } from '#kernel';

/** Every variable that this program reads; docs/operations.md explains them (a spec compares). */
export const SETTINGS = {
  ...PARTS_SETTINGS,
  ...JOBS_SETTINGS,
  MAKULER_HOME: optionalText('the directory of this installation'),
  BACKUP_DIR: optionalText('a directory for backups, outside the custodian'),
  METRICS_PORT: optionalPort(),
  METRICS_HOST: text('an address to show metrics on', '127.0.0.1'),
};

/** The worker's configuration; the only place that reads its environment. Throws ConfigurationError with every problem at once. */
export const readConfig = () => readConfiguration(process.env, SETTINGS);

export type WorkerConfig = ReturnType<typeof readConfig>;
