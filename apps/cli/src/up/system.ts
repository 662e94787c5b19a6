import { join } from 'node:path';
import { freePort } from '#kernel';
import { startChild } from './child.js';
import { flagsOf } from './flags.js';
import { Crew } from './crew.js';
import type { Part } from './crew.js';
import { ANALYST, analyticsAddress, assertAllDurable, beginPostgres, prepareDatabases } from './database.js';
import { ensureCertificates, environmentOf, eventStoreUrl } from './environment.js';
import type { Certificates, Places } from './environment.js';
import { ensureFirstTokens } from './first-tokens.js';
import { makeHome } from './home.js';
import { ensureInstallation } from './installation.js';
import type { HomeLock } from './lock.js';
import { lockHome } from './lock.js';
import type { App, SystemOptions } from './options.js';
import { claimPort } from './ports.js';
import type { ReadyLine } from './ready-line.js';
import type { DatabaseName, Secrets } from './secrets.js';
import { ensureSecrets } from './secrets.js';
import { readState, updateState } from './state.js';
import { Refusal } from '../refusal.js';
import type { Steps } from './steps.js';
import { timed } from './steps.js';

const LOOPBACK = '127.0.0.1';
/** Of a child that is told to stop, in milliseconds: more than it allows itself (a spec compares). */
export const CHILD_PATIENCE_MS = 30_000;

/** Where the running system is asked. */
export interface Addresses {
  readonly api: string;
  readonly docs: string;
}

interface Prepared {
  readonly places: Places;
  readonly certificates: Certificates;
}

/** Stores that run alone, and where: `eventStoreUrl` holds a password, as the databases' addresses do. */
export interface RunningStores extends Prepared {
  readonly eventStoreUrl: string;
}

/** Not an address of another adapter (`pkcs11:…`). */
export const isDirectory = (mirror: string): boolean => !/^[a-z0-9+]+:/.test(mirror);

/**
 * The whole system on one machine: starts its parts in the order of their needs, keeps them running, and stops them in
 * reverse. `start` throws Refusal when the person at the terminal has to decide something; `stop` may be called at any
 * time, and ends whatever was begun by then.
 */
export class System {
  readonly #crew: Crew;
  #lock: HomeLock | undefined;
  #starting: Promise<unknown> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  constructor(
    private readonly options: SystemOptions,
    private readonly steps: Steps,
  ) {
    this.#crew = new Crew(options.home, options.custodian, steps);
  }

  start(): Promise<Addresses> {
    const starting = this.#start();
    this.#starting = starting.catch(() => undefined);
    return starting;
  }

  /**
   * Starts log, vault and databases alone: for whoever fills them or looks through them. The gate may be closed. Nothing is
   * made at the custodian.
   */
  startStores(): Promise<RunningStores> {
    const starting = this.#startStores();
    this.#starting = starting.catch(() => undefined);
    return starting;
  }

  /** Stops everything and lets go of the home. */
  stop(): Promise<void> {
    this.#stopping ??= this.#crew
      .stop()
      .then(() => this.#starting)
      .finally(() => this.#lock?.release())
      .then(() => undefined);
    return this.#stopping;
  }

  async #start(): Promise<Addresses> {
    const { host, port, home, custodian } = this.options;
    await this.#takeHome();
    await this.#assertRestored();
    const installation = await ensureInstallation(home, custodian.filter(isDirectory));
    this.steps.done('home', `${home.directory}${installation.created ? ' (new)' : ''}`);
    for (const mirror of installation.away)
      this.steps.warn(`The custodian's mirror at ${mirror} is away: bring it back (makuler custodian status).`);
    const apiPort = await claimPort(host, port);
    const addresses = addressesOf(host, apiPort);
    const { places, certificates } = await this.#prepare(apiPort, addresses);
    const [lines, created] = await Promise.all([
      this.#startApps(this.#stores(), places, certificates),
      ensureFirstTokens(home, places.databases.control),
    ]);
    if (created) this.steps.done('tokens', `${home.tokens} (new)`);
    // Behind a closed gate the rest comes up all the same: an operator needs it to act.
    for (const word of gateWarnings(lines.at(-1)!)) this.steps.warn(word);
    await this.#startApps(['api', 'projector', 'worker'], places, certificates);
    return addresses;
  }

  async #startStores(): Promise<RunningStores> {
    await this.#takeHome();
    const { places, certificates } = await this.#prepare(0, {});
    await this.#startApps(this.#stores(), places, certificates);
    return { places, certificates, eventStoreUrl: eventStoreUrl(this.options, places, certificates) };
  }

  #stores(): readonly App[] {
    return this.options.external ? ['vault'] : ['event-node', 'vault'];
  }

  async #takeHome(): Promise<void> {
    const { home } = this.options;
    await makeHome(home);
    this.#lock = await lockHome(home);
    for (const word of this.#lock.leftover) this.steps.warn(word);
  }

  /** Half a log is a log that lost its end, and half an installation would be taken for one that lost its keys. */
  async #assertRestored(): Promise<void> {
    const { restore } = await readState(this.options.home);
    if (restore && !restore.done)
      throw new Refusal(
        `The home ${this.options.home.directory} is half restored.`,
        'Run `makuler restore` with the same set again: it goes on where it stopped.',
      );
  }

  async #prepare(apiPort: number, addresses: Partial<Addresses>): Promise<Prepared> {
    const { home } = this.options;
    const secrets = await ensureSecrets(home);
    // Side by side: making keys takes as long as starting PostgreSQL.
    const [certificates, databases, ports] = await together([
      timed(
        this.steps,
        'certificates',
        () => ensureCertificates(home.certificates),
        () => home.certificates,
      ),
      this.#databases(secrets),
      this.#ports(),
    ]);
    const { readmodels } = databases;
    this.#crew.addresses = this.options.external
      ? { ...addresses, analytics: analyticsAddress(readmodels) }
      : { ...addresses, analytics: analyticsAddress(readmodels, ANALYST), postgres: new URL(readmodels).host };
    return { certificates, places: { apiPort, ...ports, databases, eventNodePassword: secrets.eventNode } };
  }

  async #databases(secrets: Secrets): Promise<Record<DatabaseName, string>> {
    const { external } = this.options;
    const databases = external
      ? {
          events: '',
          vault: external.vaultDatabaseUrl,
          readmodels: external.databaseUrl,
          control: external.controlDatabaseUrl,
        }
      : await this.#embedded(secrets);
    await assertAllDurable(Object.values(databases).filter((url) => url !== ''));
    return databases;
  }

  async #embedded(secrets: Secrets): Promise<Record<DatabaseName, string>> {
    const { home } = this.options;
    let port: number | undefined;
    const [server] = await this.#crew.start([
      {
        name: 'postgres',
        logFile: join(home.logs, 'postgres.log'),
        begin: () => beginPostgres(home, port),
        detail: (ready) => `ready on ${LOOPBACK}:${ready.port}${ready.created ? ' (new)' : ''}`,
      },
    ]);
    port = server!.port;
    return timed(
      this.steps,
      'databases',
      () => prepareDatabases(server!, secrets),
      (urls) => Object.keys(urls).join(', '),
    );
  }

  async #ports(): Promise<{ vaultPort: number; eventNodePort: number }> {
    const last = (await readState(this.options.home)).ports;
    const vault = await freePort(LOOPBACK, last?.vault);
    const eventNode = await freePort(LOOPBACK, last?.eventNode, [vault]);
    if (last?.vault !== vault || last.eventNode !== eventNode)
      await updateState(this.options.home, { ports: { vault, eventNode } });
    return { vaultPort: vault, eventNodePort: eventNode };
  }

  #startApps(apps: readonly App[], places: Places, certificates: Certificates): Promise<ReadyLine[]> {
    const { home, scriptOf, preload } = this.options;
    const addressOf: Partial<Record<App, number>> = {
      'event-node': places.eventNodePort,
      vault: places.vaultPort,
      api: places.apiPort,
    };
    const partOf = (app: App): Part<ReadyLine> => {
      const env = environmentOf(app, this.options, places, certificates);
      const logFile = join(home.logs, `${app}.log`);
      return {
        name: app,
        logFile,
        begin: async () => {
          const child = await startChild({ script: scriptOf(app), preload, flags: flagsOf(app), env, logFile });
          return { ...child, stop: () => child.stop(CHILD_PATIENCE_MS) };
        },
        detail: () => {
          const port = addressOf[app];
          return port === undefined ? 'ready' : `ready on ${app === 'api' ? this.options.host : LOOPBACK}:${port}`;
        },
      };
    };
    return this.#crew.start(apps.map(partOf));
  }
}

/** What an operator must know of a vault that serves nothing, from its ready line; nothing of one that serves. */
const gateWarnings = ({ gate, why, wayOut }: ReadyLine): string[] =>
  typeof why === 'string'
    ? [`The vault's gate is closed (${String(gate)}): ${why}`, ...(typeof wayOut === 'string' ? [wayOut] : [])]
    : [];

/** An address for people: one that listens everywhere is reached on this machine by its loopback name. */
const addressesOf = (host: string, port: number): Addresses => {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  const api = `http://${name}:${port}`;
  return { api, docs: `${api}/docs` };
};

/** Like Promise.all, but nothing is still under way when it throws: the home is let go afterwards. */
const together = async <T extends readonly unknown[]>(work: { readonly [K in keyof T]: Promise<T[K]> }): Promise<T> => {
  await Promise.allSettled(work);
  return (await Promise.all(work)) as unknown as T;
};
