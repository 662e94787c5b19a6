import type { CertificateFiles, CertificateWish } from '#pki';
import { ensureAuthority } from '#pki';
import type { App, SystemOptions } from './options.js';

const LOOPBACK = '127.0.0.1';
/** How clients name it: in TLS a server has a name and never an address (RFC 6066 § 3). */
const LOOPBACK_NAME = 'localhost';

/** Who is called, where: decided before anything is started, so that a child that comes back is where it was. */
export interface Places {
  readonly apiPort: number;
  readonly vaultPort: number;
  readonly eventNodePort: number;
  /** Addresses with passwords: they go into the children's environment and nowhere else. */
  readonly databases: Readonly<Record<'events' | 'vault' | 'readmodels' | 'control', string>>;
  readonly eventNodePassword: string;
}

/** The programs that may ask the vault. */
export const CLIENTS = ['api', 'projector', 'worker', 'cli'] as const;
export type Certificates = Readonly<Record<'event-node' | 'vault' | (typeof CLIENTS)[number], CertificateFiles>>;

/** The installation's certificates, in one directory: servers on loopback, and a client's for each program that may ask the vault. */
export const ensureCertificates = async (directory: string): Promise<Certificates> => {
  const authority = await ensureAuthority(directory);
  const wishes: (readonly [keyof Certificates, CertificateWish['usage']])[] = [
    ...(['event-node', 'vault'] as const).map((name) => [name, 'server'] as const),
    ...CLIENTS.map((name) => [name, 'client'] as const),
  ];
  const made = await Promise.all(
    wishes.map(async ([name, usage]) => [name, await authority.ensureCertificate(name, { usage })] as const),
  );
  return Object.fromEntries(made) as Certificates;
};

/** The whole environment of one app: what it needs, and no other's secrets. */
export const environmentOf = (app: App, options: SystemOptions, places: Places, certificates: Certificates) => {
  const common = {
    ...options.baseEnv,
    NODE_COMPILE_CACHE: options.home.compileCache,
    MAKULER_HOME: options.home.directory,
  };
  switch (app) {
    case 'event-node':
      return {
        ...common,
        EVENT_NODE_DATABASE_URL: places.databases.events,
        EVENT_NODE_HOST: LOOPBACK,
        EVENT_NODE_PORT: String(places.eventNodePort),
        EVENT_NODE_CERT_FILE: certificates['event-node'].certFile,
        EVENT_NODE_KEY_FILE: certificates['event-node'].keyFile,
        EVENT_NODE_PASSWORD: places.eventNodePassword,
      };
    case 'vault':
      return {
        ...common,
        VAULT_DATABASE_URL: places.databases.vault,
        EVENTSTORE_URL: eventStoreUrl(options, places, certificates),
        VAULT_HOST: LOOPBACK,
        VAULT_PORT: String(places.vaultPort),
        VAULT_CERT_FILE: certificates.vault.certFile,
        VAULT_KEY_FILE: certificates.vault.keyFile,
        VAULT_CA_FILE: certificates.vault.caFile,
        CUSTODIAN: options.custodian.join(','),
        ...(options.epochWindow === undefined ? {} : { VAULT_EPOCH_WINDOW: options.epochWindow }),
        ...(options.sealEvery === undefined ? {} : { VAULT_SEAL_EVERY: options.sealEvery }),
        ...(options.drill === true ? { VAULT_DRILL: '1' } : {}),
      };
    case 'api':
      return {
        ...common,
        ...reading(app, options, places, certificates),
        HOST: options.host,
        PORT: String(places.apiPort),
      };
    case 'projector':
      return { ...common, ...reading(app, options, places, certificates) };
    case 'worker':
      return {
        ...common,
        ...reading(app, options, places, certificates),
        ...(options.metricsPort === undefined ? {} : { METRICS_PORT: String(options.metricsPort) }),
        ...(options.backupDirectory === undefined ? {} : { BACKUP_DIR: options.backupDirectory }),
      };
  }
};

const reading = (
  app: 'api' | 'projector' | 'worker',
  options: SystemOptions,
  places: Places,
  certificates: Certificates,
) => ({
  EVENTSTORE_URL: eventStoreUrl(options, places, certificates),
  DATABASE_URL: places.databases.readmodels,
  CONTROL_DATABASE_URL: places.databases.control,
  VAULT_ADDRESS: `${LOOPBACK_NAME}:${places.vaultPort}`,
  VAULT_CLIENT_CERT_FILE: certificates[app].certFile,
  VAULT_CLIENT_KEY_FILE: certificates[app].keyFile,
  VAULT_CA_FILE: certificates[app].caFile,
  POLICY: options.policy,
  ...(options.redisUrl === undefined ? {} : { REDIS_URL: options.redisUrl }),
});

/** Where the log is, with its password. */
export const eventStoreUrl = (
  { external }: Pick<SystemOptions, 'external'>,
  { eventNodePassword, eventNodePort }: Places,
  certificates: Certificates,
): string =>
  external?.eventStoreUrl ?? embeddedEventStoreUrl(eventNodePassword, eventNodePort, certificates['event-node'].caFile);

/** The event node of this machine. */
export const embeddedEventStoreUrl = (password: string, port: number, caFile: string): string => {
  // Not URLSearchParams: the vendor's client takes the + that it makes of a space for a plus.
  const query = `tls=true&tlsCAFile=${encodeURIComponent(caFile)}`;
  return `esdb://makuler:${encodeURIComponent(password)}@${LOOPBACK_NAME}:${port}?${query}`;
};
