import { readOptions } from './config.js';
import { startEventNode } from './server.js';

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

try {
  const node = await startEventNode({ ...readOptions(), report: say });
  let leaving = false;
  const leave = (): void => {
    if (leaving) return;
    leaving = true;
    node.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once('SIGTERM', leave);
  process.once('SIGINT', leave);
  say({ event: 'ready', address: node.address, incarnation: node.incarnation });
} catch (error) {
  // Messages of ours and of the system name settings, addresses and files, never data.
  process.stderr.write(`${error instanceof Error ? error.message : 'The event node could not start.'}\n`);
  process.exit(1);
}
