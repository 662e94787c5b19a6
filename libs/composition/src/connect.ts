import type { Clock } from '#kernel';
import { SystemClock } from '#kernel';
import { EventStoreDb, EventStoreLedger } from '#ledger';
import { createLogger, Metrics, startTracing, tracingOf } from '#observability';
import { loadPolicy } from '#policy';
import { assertDurable, createPool } from '#postgres';
import { GrpcVault } from '#vault';
import { GrpcCheckpointWitness, GrpcVaultArchive, GrpcVaultOperations, GrpcVaultRecovery } from '#vault/operations';
import { GrpcShredder } from '#vault/shredder';
import type { Parts } from './parts.js';
import { appendsIn, showKeys } from './part-metrics.js';
import { eventRegistry } from './registry.js';
import type { PartsConfiguration } from './settings.js';

/** How long a program waits at its start for the vault's first lease. Later outages are met while it runs. */
const VAULT_PATIENCE_MS = 10_000;

export interface ConnectOptions {
  /** The program, for logs and for the databases' lists of connections: `api`. */
  readonly name: string;
  /** Another clock, for mains under `test/`; no shipped program passes one. */
  readonly clock?: Clock;
}

/**
 * Loads the policy and connects a program to the other systems. Throws PolicyError, `database-not-durable`,
 * `database-unavailable`; a vault that is not there yet is only waited for, because a program without it can still say so.
 */
export const connect = async (
  configuration: PartsConfiguration,
  { name, clock = new SystemClock() }: ConnectOptions,
): Promise<Parts> => {
  const logger = createLogger({ name });
  const metrics = new Metrics(name);
  const traces = tracingOf(name, configuration);
  const tracing = traces && (await startTracing({ ...traces, notice: (what) => logger.warn(what) }));
  const policy = await loadPolicy(configuration.POLICY);
  const registry = eventRegistry();
  const onIdleError = (error: unknown) => logger.warn(error, 'a connection to the database was lost');
  const readModels = createPool(configuration.DATABASE_URL, { name, onIdleError, pipeline: true });
  const control = createPool(configuration.CONTROL_DATABASE_URL, { name, onIdleError, pipeline: true });
  await Promise.all([assertDurable(readModels), assertDurable(control)]);
  const address = {
    address: configuration.VAULT_ADDRESS,
    certFile: configuration.VAULT_CLIENT_CERT_FILE,
    keyFile: configuration.VAULT_CLIENT_KEY_FILE,
    caFile: configuration.VAULT_CA_FILE,
  };
  const vault = new GrpcVault({ ...address, clock });
  const shredder = new GrpcShredder(address);
  const operations = new GrpcVaultOperations(address, clock);
  const recovery = new GrpcVaultRecovery(address);
  const witness = new GrpcCheckpointWitness(address);
  const archive = new GrpcVaultArchive(address);
  const store = new EventStoreDb(configuration.EVENTSTORE_URL);
  const ledger = new EventStoreLedger({
    ...{ store, vault, registry, clock, policyVersion: () => policy.version },
    observe: appendsIn(metrics),
  });
  showKeys(metrics, vault);
  await vault
    .ready(VAULT_PATIENCE_MS)
    .catch((error: unknown) =>
      logger.warn(error, 'the vault does not answer yet: personal data is unavailable until it does'),
    );
  const close = async (): Promise<void> => {
    // While appends still count as under way: it gives its lease back only when nothing that it sealed may land any more.
    await vault.close();
    await ledger.close();
    shredder.close();
    operations.close();
    recovery.close();
    witness.close();
    archive.close();
    await Promise.all([readModels.end(), control.end(), tracing?.close()]);
  };
  const vaultParts = { vault, shredder, operations, recovery, witness, archive };
  return { clock, logger, metrics, policy, registry, ...vaultParts, ledger, store, readModels, control, close };
};
