import { PARTS_SETTINGS } from '#composition';
import { optionalText, port, readConfiguration, text } from '#kernel';

/** The api's configuration; the only place that reads its environment. Throws ConfigurationError with every problem at once. */
export const readConfig = () =>
  readConfiguration(process.env, {
    ...PARTS_SETTINGS,
    HOST: text('an address to listen on', '127.0.0.1'),
    PORT: port(3000),
    MAKULER_HOME: optionalText('the directory of this installation'),
    REDIS_URL: optionalText('the address of Redis, where jobs are queued there'),
  });

export type ApiConfig = ReturnType<typeof readConfig>;
