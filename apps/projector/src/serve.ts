import type { Parts } from '#composition';
import { jobBackend } from '#jobs';
import { announce, exitWithParent, Health, logProcess, showMetrics, showStanding, stopOnSignal } from '#observability';
import type { ProjectorConfig } from './config.js';
import { host } from './host.js';

/**
 * Runs the projector on connected parts until SIGTERM, and prints the ready line when it is at work or waits for the active
 * one to go. Rejects on a fault of the program. `main.ts` is one caller; mains under `test/` are others, with another clock.
 */
export const serve = async (parts: Parts, config: ProjectorConfig): Promise<void> => {
  logProcess(parts.logger);
  const projector = host(parts, jobBackend({ databaseUrl: config.DATABASE_URL, redisUrl: config.REDIS_URL }), {
    leaseMs: config.PROJECTOR_LEASE_MS,
    onStanding: (standing) => announce(parts.logger, standing),
  });
  const health = new Health();
  showStanding(parts.metrics, health, projector.isActive);
  const shown = await showMetrics(parts.metrics, config, health);
  exitWithParent();
  stopOnSignal(
    async () => {
      await shown?.close();
      await projector.stop();
      await parts.close();
    },
    (error) => parts.logger.error(error, 'the projector did not stop cleanly'),
  );
  await Promise.race([projector.started, projector.running]);
  announce(parts.logger, 'ready');
  await projector.running;
};
