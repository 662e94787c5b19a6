// Not all of observability: the rest of it takes as long to load as a fifth of this program.
import { announce, createLogger, logProcess } from '#observability/logger';
import { readOptions } from './config.js';
import { startEventNode } from './server.js';

const logger = createLogger({ name: 'event-node' });
logProcess(logger);

try {
  const node = await startEventNode({
    ...readOptions(),
    report: ({ event, ...facts }) => logger[event === 'writer-lost' ? 'warn' : 'info'](facts, event),
  });
  let leaving = false;
  const leave = (): void => {
    if (leaving) return;
    leaving = true;
    node.close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error(error, 'the event node did not stop cleanly');
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', leave);
  process.once('SIGINT', leave);
  announce(logger, 'ready', { address: node.address, incarnation: node.incarnation });
} catch (error) {
  // Messages of ours and of the system name settings, addresses and files, never data.
  announce(logger, 'refused', { message: error instanceof Error ? error.message : 'The event node could not start.' });
  process.exit(1);
}
