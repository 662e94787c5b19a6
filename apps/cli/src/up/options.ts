import type { Home } from './home.js';

/** Servers that somebody else runs: the cluster profile. */
export interface ExternalServers {
  readonly eventStoreUrl: string;
  readonly databaseUrl: string;
  readonly controlDatabaseUrl: string;
  readonly vaultDatabaseUrl: string;
}

export const APPS = ['event-node', 'vault', 'api', 'projector', 'worker'] as const;
export type App = (typeof APPS)[number];

/** What `makuler up` is asked to run. */
export interface SystemOptions {
  readonly home: Home;
  readonly host: string;
  /** Of the API; 0 picks a free one. */
  readonly port: number;
  /** Directory of the policy manifest. */
  readonly policy: string;
  /** Custodian mirrors: directories, or addresses of other adapters (`scheme:…`). */
  readonly custodian: readonly string[];
  /** How long old backups of the vault open after a seal (`30d`, `12h`, `0`); the vault's default without it. */
  readonly epochWindow?: string;
  /** How long after a seal the next one is due; the vault's default without it. */
  readonly sealEvery?: string;
  readonly redisUrl?: string;
  /** Where the worker shows its metrics; nowhere without it. */
  readonly metricsPort?: number;
  readonly external?: ExternalServers;
  /** Where the worker writes backups, every night and after each seal; none without it. */
  readonly backupDirectory?: string;
  /** A scratch home: the custodian is another's, and only looked at. */
  readonly drill?: boolean;
  /** What every child's environment begins with: PATH and the like. */
  readonly baseEnv: Readonly<Record<string, string>>;
  /** Where an app's main script lies; mains under test/ compose the apps with another clock. */
  readonly scriptOf: (app: App) => string;
  /** A script that every child loads first: it makes the child end when the supervisor is gone. */
  readonly preload: string;
}
