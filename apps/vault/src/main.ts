import 'reflect-metadata';
import { ConfigurationError } from '#kernel';
import { GateRefusal } from '#vault/keeper';
import { readVaultConfiguration } from './config.js';
import { startVault } from './server.js';

/** One line of JSON for the program that started us. */
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const refuse = (error: unknown): never => {
  // A message of PostgreSQL or of the file system names places, never keys; stacks may show more and stay out.
  const message = error instanceof Error ? error.message : String(error);
  say({ event: 'refused', reason: error instanceof GateRefusal ? error.reason : 'failed', message });
  process.exit(error instanceof ConfigurationError ? 2 : error instanceof GateRefusal ? 3 : 1);
};

// Keys are in this memory: no diagnostic report on a crash. The size of core dumps is a limit of the process that starts
// us (`ulimit -c 0`, LimitCORE=0): Node has no call for it.
if (process.report) process.report.reportOnFatalError = false;

try {
  const options = readVaultConfiguration();
  const vault = await startVault({ ...options, onRefused: refuse });
  say({ event: 'ready', host: options.host, port: vault.port, gate: vault.gate.state });
  const stop = () => void vault.stop().then(() => process.exit(0), refuse);
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (error) {
  refuse(error);
}
