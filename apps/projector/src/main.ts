import { connect } from '#composition';
import { jobBackend } from '#jobs';
import { announceReady, createLogger, exitWithParent, stopOnSignal } from '#observability';
import { readConfig } from './config.js';
import { host } from './host.js';

try {
  const config = readConfig();
  const parts = await connect(config, { name: 'projector' });
  const projector = host(parts, jobBackend({ databaseUrl: config.DATABASE_URL, redisUrl: config.REDIS_URL }));
  exitWithParent();
  stopOnSignal(
    async () => {
      await projector.stop();
      await parts.close();
    },
    (error) => parts.logger.error(error, 'the projector did not stop cleanly'),
  );
  await Promise.race([projector.started, projector.running]);
  announceReady();
  await projector.running;
} catch (error) {
  createLogger({ name: 'projector' }).error(error, 'the projector does not run');
  process.exit(1);
}
