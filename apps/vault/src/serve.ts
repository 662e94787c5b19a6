import { ConfigurationError } from '#kernel';
import { announce, createLogger, logProcess } from '#observability';
import { startTracing } from '#observability/tracing';
import type { GateState } from '#vault/keeper';
import { GateRefusal } from '#vault/keeper';
import type { VaultServerOptions } from './server.js';
import { startVault } from './server.js';

const logger = createLogger({ name: 'vault' });
/** What somebody may have to do something about. */
const WARNINGS = new Set(['gate.closed', 'gate.waiting', 'lease.lost', 'epochs.failed', 'call.refused']);

/** What a vault has to do when it stops takes far less. */
const STOP_MS = 6_000;

/** The gate, and of a closed one why and what to do. ASCII: whoever waits for the line reads bytes. */
const told = (gate: GateState) => ({
  gate: gate.state,
  ...('why' in gate ? { why: ascii(gate.why) } : {}),
  ...('wayOut' in gate ? { wayOut: ascii(gate.wayOut) } : {}),
});
const ascii = (text: string): string => text.replaceAll('’', "'");

const refuse = (error: unknown): never => {
  // A message of PostgreSQL or of the file system names places, never keys; stacks may show more and stay out.
  const message = error instanceof Error ? error.message : String(error);
  announce(logger, 'refused', { reason: error instanceof GateRefusal ? error.reason : 'failed', message });
  process.exit(error instanceof ConfigurationError ? 2 : error instanceof GateRefusal ? 3 : 1);
};

/**
 * Runs the vault until SIGTERM or SIGINT, and prints the ready line when it listens. Ends the process with exit status 2 for
 * a problem of the configuration, 3 when the gate refuses, 1 for the rest, having said which. `main.ts` is one caller; mains
 * under `test/` are others, with another clock.
 */
export const serve = async (configure: () => VaultServerOptions): Promise<void> => {
  logProcess(logger);
  // Keys are in this memory: no diagnostic report on a crash. The size of core dumps is a limit of the process that starts
  // us (`ulimit -c 0`, LimitCORE=0): Node has no call for it.
  if (process.report) process.report.reportOnFatalError = false;
  try {
    const options = configure();
    let stopping = false;
    const tracing =
      options.tracing && (await startTracing({ ...options.tracing, notice: (what) => logger.warn(what) }));
    const vault = await startVault({
      ...options,
      notice: ({ event, ...facts }) =>
        logger[event === 'call.failed' ? 'error' : WARNINGS.has(event) && !stopping ? 'warn' : 'info'](facts, event),
      onRefused: refuse,
      onStanding: (standing, gate) => announce(logger, standing, told(gate)),
    });
    const stop = () => {
      stopping = true;
      // Whoever stands by waits for the lease, which goes last: a custodian that hangs must not keep it. A kill loses nothing either.
      setTimeout(() => refuse(new Error(`the vault did not stop within ${STOP_MS / 1_000} s`)), STOP_MS).unref();
      void vault
        .stop()
        .then(() => tracing?.close())
        .then(() => process.exit(0), refuse);
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
    // Last: whoever reads it may send a signal at once.
    announce(logger, 'ready', { host: options.host, port: vault.port, ...told(vault.gate) });
  } catch (error) {
    refuse(error);
  }
};
