import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '#kernel';
import type { Authority, CertificateFiles } from '#pki';
import { ensureAuthority } from '#pki';
import { createPool } from '#postgres';
import { EventStoreDouble, testDatabase } from '#testing';
import type { GrpcVaultOptions, VaultReport } from '#vault';
import { askVaultStatus, GrpcVault } from '#vault';
import { GrpcVaultOperations } from '#vault/operations';
import { GrpcShredder } from '#vault/shredder';
import type { RunningVault, VaultServerOptions } from '../../apps/vault/src/server.js';
import { startVault } from '../../apps/vault/src/server.js';

/** Short enough that tests wait out leases, long enough for a busy machine to renew them. */
export const TEST_LEASE_MS = 1_000;

/** A vault with real TLS, database and mirrors, and clients of the programs that use it. */
export interface VaultHouse {
  readonly directory: string;
  readonly mirrors: readonly string[];
  readonly api: GrpcVault;
  readonly projector: GrpcVault;
  readonly worker: GrpcVault;
  readonly shredder: GrpcShredder;
  /** As the api asks for what operators want. */
  readonly operations: GrpcVaultOperations;
  operationsOf(name: string): GrpcVaultOperations;
  readonly options: VaultServerOptions;
  vaultOf(name: string, over?: Partial<GrpcVaultOptions>): GrpcVault;
  shredderOf(name: string): GrpcShredder;
  /** A client with a certificate of another authority. */
  stranger(): GrpcVault;
  certificateOf(name: string): CertificateFiles;
  status(): Promise<VaultReport>;
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  stop(): Promise<void>;
  /** Starts again on the same port, after `stop`. */
  start(over?: Partial<VaultServerOptions>): Promise<RunningVault>;
  end(): Promise<void>;
}

const NAMES = ['api', 'projector', 'worker', 'cli'];

const issue = async (authority: Authority): Promise<Map<string, CertificateFiles>> =>
  new Map(
    await Promise.all(
      NAMES.map(async (name) => [name, await authority.ensureCertificate(name, { usage: 'client' })] as const),
    ),
  );

/** Builds one, in a directory and database of its own and, unless `over` says otherwise, with an empty log; `end` removes everything. */
export const startVaultHouse = async (over: Partial<VaultServerOptions> = {}): Promise<VaultHouse> => {
  const directory = await mkdtemp(join(tmpdir(), 'makuler-vault-'));
  const database = await testDatabase();
  const authority = await ensureAuthority(join(directory, 'home', 'pki'));
  const clients = await issue(authority);
  const strangers = await issue(await ensureAuthority(join(directory, 'strangers')));
  const mirrors = ['a', 'b'].map((name) => join(directory, 'custodian', name));
  const options: VaultServerOptions = {
    databaseUrl: database.url,
    log: new EventStoreDouble(),
    host: '127.0.0.1',
    port: 0,
    ...(await authority.ensureCertificate('vault', { usage: 'server' })),
    custodian: mirrors,
    home: join(directory, 'home'),
    leaseMs: TEST_LEASE_MS,
    epochWindowMs: 0,
    sealEveryMs: 86_400_000,
    clock: new SystemClock(),
    ...over,
  };
  let vault: RunningVault | undefined = await startVault(options);
  const { port } = vault;
  const pool = createPool(database.url, { name: 'spec', max: 2 });
  const closing: { close(): unknown }[] = [];
  const keep = <T extends { close(): unknown }>(client: T): T => {
    closing.push(client);
    return client;
  };
  const addressOf = (files: CertificateFiles) => ({ address: `127.0.0.1:${port}`, ...files });
  const vaultOf = (name: string, over: Partial<GrpcVaultOptions> = {}) =>
    keep(new GrpcVault({ ...addressOf(clients.get(name)!), patienceMs: 3_000, ...over }));
  const shredderOf = (name: string) => keep(new GrpcShredder(addressOf(clients.get(name)!)));
  const operationsOf = (name: string) => keep(new GrpcVaultOperations(addressOf(clients.get(name)!)));
  const stop = async () => {
    await vault?.stop();
    vault = undefined;
  };
  return {
    directory,
    mirrors,
    options: { ...options, port },
    api: vaultOf('api'),
    projector: vaultOf('projector'),
    worker: vaultOf('worker'),
    shredder: shredderOf('worker'),
    operations: operationsOf('api'),
    operationsOf,
    vaultOf,
    shredderOf,
    stranger: () => keep(new GrpcVault({ ...addressOf(strangers.get('api')!), caFile: clients.get('api')!.caFile })),
    certificateOf: (name) => clients.get(name)!,
    status: () => askVaultStatus(addressOf(clients.get('cli')!)),
    sql: async (text, values = []) => (await pool.query<Record<string, unknown>>(text, values)).rows,
    stop,
    start: async (over = {}) => (vault = await startVault({ ...options, port, ...over })),
    end: async () => {
      for (const client of closing) await client.close();
      await stop();
      await pool.end();
      await database.drop();
      await rm(directory, { recursive: true, force: true });
    },
  };
};

/** What the vault's program is told so that it serves a house whose own vault is stopped. */
export const environmentOf = (
  { options, mirrors }: VaultHouse,
  eventStoreUrl: string,
  port = options.port,
): Record<string, string> => ({
  VAULT_DATABASE_URL: options.databaseUrl,
  EVENTSTORE_URL: eventStoreUrl,
  VAULT_PORT: String(port),
  VAULT_CERT_FILE: options.certFile,
  VAULT_KEY_FILE: options.keyFile,
  VAULT_CA_FILE: options.caFile,
  CUSTODIAN: mirrors.join(','),
  MAKULER_HOME: options.home!,
  VAULT_LEASE_MS: String(TEST_LEASE_MS),
});
