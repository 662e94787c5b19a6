import { JOBS_SETTINGS, PARTS_SETTINGS } from '#composition';
import { optionalPort, optionalText, readConfiguration, text } from '#kernel';

/** The projector's configuration; the only place that reads its environment. Throws ConfigurationError with every problem at once. */
export const readConfig = () =>
  readConfiguration(process.env, {
    ...PARTS_SETTINGS,
    ...JOBS_SETTINGS,
    MAKULER_HOME: optionalText('the directory of this installation'),
    METRICS_PORT: optionalPort(),
    METRICS_HOST: text('an address to show metrics on', '127.0.0.1'),
  });

export type ProjectorConfig = ReturnType<typeof readConfig>;
