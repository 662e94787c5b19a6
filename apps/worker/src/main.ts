import 'reflect-metadata';
import { connect } from '#composition';
import { jobBackend } from '#jobs';
import { announceReady, createLogger, exitWithParent, stopOnSignal } from '#observability';
import { readConfig } from './config.js';
import { host } from './host.js';
import { work } from './jobs.js';

try {
  const config = readConfig();
  const parts = await connect(config, { name: 'worker' });
  const { length: workers } = work.processors;
  const backend = jobBackend({ databaseUrl: config.DATABASE_URL, redisUrl: config.REDIS_URL, workers });
  const worker = await host(parts, backend);
  exitWithParent();
  stopOnSignal(
    async () => {
      await worker.stop();
      await parts.close();
    },
    (error) => parts.logger.error(error, 'the worker did not stop cleanly'),
  );
  announceReady();
} catch (error) {
  createLogger({ name: 'worker' }).error(error, 'the worker does not run');
  process.exit(1);
}
