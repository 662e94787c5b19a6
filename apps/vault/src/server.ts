import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { Clock } from '#kernel';
import type { EventStore } from '#ledger';
import type { TracingOptions } from '#observability/tracing';
import type { MetricsServer } from '#observability';
import { Health, Metrics, showMetrics, showStanding } from '#observability';
import { createPool } from '#postgres';
import type { GateRefusal, GateState, VaultNotice } from '#vault/keeper';
import { CustodianMirrors, isTokenUri, Keeper, observing, openPlace, vaultServiceDefinition } from '#vault/keeper';
import type { CallNotice } from './calls.js';
import { Calls } from './calls.js';
import { EventLogWitness } from './event-log-witness.js';
import { vaultService } from './vault-service.js';

export interface VaultServerOptions {
  readonly databaseUrl: string;
  /** The event log, asked before anything is served; closed with the vault. */
  readonly log: EventStore;
  /** How long a start waits for a log that is away before it listens behind a closed gate, in milliseconds. */
  readonly logPatienceMs?: number;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** PEM files; clients' certificates must be of the same authority. */
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
  /** Directories of the custodian's mirrors. */
  readonly custodian: readonly string[];
  /** The home, in which no mirror may lie. */
  readonly home?: string;
  readonly leaseMs: number;
  /** From the end of a seal to the destruction of the roots before it, in milliseconds. */
  readonly epochWindowMs: number;
  /** From one planned seal to the next, in milliseconds. */
  readonly sealEveryMs: number;
  readonly clock: Clock;
  /** A drill: the custodian is looked at and not changed, and a log that is older than it is no fault. */
  readonly drill?: boolean;
  /** Where metrics and health are shown; nowhere without a port. */
  readonly metrics?: { readonly METRICS_PORT: number | undefined; readonly METRICS_HOST: string };
  /** Shows what it is asked; the names of calls and how long they took, no more. */
  readonly tracing?: TracingOptions | undefined;
  /** Called with what the log must tell: of the vault itself, and of calls that were refused or failed. */
  readonly notice?: (notice: VaultNotice | CallNotice) => void;
  /** Called when this vault has become the active one, or a standby, after the start. */
  readonly onStanding?: (standing: 'active' | 'standby', gate: GateState) => void;
  /** Called when the vault must stop by itself after it had been serving. */
  readonly onRefused?: (refusal: GateRefusal) => void;
}

export interface RunningVault {
  readonly port: number;
  /** How the gate stands after the start. */
  readonly gate: GateState;
  stop(): Promise<void>;
}

/** The session that holds it, one that asks, and one that ends whoever is in the way. */
const LEASE_CONNECTIONS = 3;

/**
 * Reconciles, and only then listens: behind an open gate, or behind a closed one that has a way out. Throws GateRefusal when
 * there is none; nothing was changed then.
 */
export const startVault = async (options: VaultServerOptions): Promise<RunningVault> => {
  const pool = createPool(options.databaseUrl, { name: 'makuler vault' });
  const leasePool = createPool(options.databaseUrl, { name: 'makuler vault lease', max: LEASE_CONNECTIONS });
  const server = new Server({ 'grpc.max_receive_message_length': 64 * 1024 * 1024 });
  const [metrics, health] = [new Metrics('vault'), new Health()];
  let keeper: Keeper | undefined;
  let shown: MetricsServer | undefined;
  const stop = async () => {
    server.forceShutdown();
    await shown?.close();
    await keeper?.stop();
    await options.log.close();
    await Promise.all([pool.end(), leasePool.end()]);
  };
  try {
    const { drill = false } = options;
    const open = (place: string) => {
      const mirror = openPlace(place, options.home === undefined ? {} : { home: options.home });
      return drill ? observing(mirror) : mirror;
    };
    keeper = await Keeper.start({
      pool,
      leasePool,
      custodian: new CustodianMirrors(
        options.custodian.map((place) => open(isTokenUri(place) ? place : resolve(place))),
        open,
      ),
      olderLogExpected: drill,
      log: new EventLogWitness(options.log),
      clock: options.clock,
      leaseMs: options.leaseMs,
      epochWindowMs: options.epochWindowMs,
      sealEveryMs: options.sealEveryMs,
      ...(options.logPatienceMs === undefined ? {} : { logPatienceMs: options.logPatienceMs }),
      ...(options.home === undefined ? {} : { home: options.home }),
      notice: (told) => options.notice?.(told),
      onRefused: (refusal) => options.onRefused?.(refusal),
      onStanding: (standing) => keeper && options.onStanding?.(standing, keeper.gate),
    });
    const refused = () => metrics.count('makuler_access_refused_total', 1, { code: 'forbidden' });
    const calls = new Calls(options.clock, (told) => options.notice?.(told), refused);
    server.addService(vaultServiceDefinition, vaultService(keeper, calls));
    showStanding(metrics, health, () => keeper!.isActive);
    shown = options.metrics && (await showMetrics(metrics, options.metrics, health));
    const port = await listen(server, options);
    return { port, gate: keeper.gate, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

const listen = (server: Server, { host, port, certFile, keyFile, caFile }: VaultServerOptions): Promise<number> => {
  const pair = { cert_chain: readFileSync(certFile), private_key: readFileSync(keyFile) };
  const credentials = ServerCredentials.createSsl(readFileSync(caFile), [pair], true);
  return new Promise((resolve, reject) =>
    server.bindAsync(`${host}:${port}`, credentials, (error, bound) => (error ? reject(error) : resolve(bound))),
  );
};
