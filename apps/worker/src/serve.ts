import type { Parts } from '#composition';
import { jobBackend } from '#jobs';
import { announce, exitWithParent, logProcess, showMetrics, stopOnSignal } from '#observability';
import type { WorkerConfig } from './config.js';
import { host } from './host.js';
import { workOf } from './jobs.js';

/**
 * Runs the worker on connected parts until SIGTERM, and prints the ready line when it takes jobs. `main.ts` is one caller;
 * mains under `test/` are others, with parts on another clock.
 */
export const serve = async (parts: Parts, config: WorkerConfig): Promise<void> => {
  logProcess(parts.logger);
  const work = workOf(config.BACKUP_DIR);
  const { length: workers } = work.processors;
  const backend = jobBackend({ databaseUrl: config.DATABASE_URL, redisUrl: config.REDIS_URL, workers });
  const worker = await host(parts, backend, work);
  const shown = await showMetrics(parts.metrics, config);
  exitWithParent();
  stopOnSignal(
    async () => {
      await shown?.close();
      await worker.stop();
      await parts.close();
    },
    (error) => parts.logger.error(error, 'the worker did not stop cleanly'),
  );
  announce(parts.logger, 'ready');
};
