import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Parts } from '#composition';
import { PARTS_SETTINGS, connect } from '#composition';
import type { ActorId, Role } from '#kernel';
import { SystemClock, freePort, readConfiguration } from '#kernel';
import type { Pool } from '#postgres';
import { createPool } from '#postgres';
import { TOKEN_ROLES, Tokens } from '#tokens';
import { Compose } from './cluster-compose.js';
import { PostgresServer } from './cluster-postgres.js';
import { ClusterProcess } from './cluster-process.js';
import type { Reply, RequestOptions } from './installation.js';
import { ask, eventually } from './installation.js';

const execute = promisify(execFile);
const HOST = '127.0.0.1';
/** Of the roles in the databases, and of what else asks for one. */
const ROLES = ['readmodels', 'control', 'vault', 'analyst', 'events'] as const;
const OTHERS = ['POSTGRES', 'VAULT_POSTGRES', 'EVENTSTORE', 'REDIS'] as const;
const passwordOf = (name: string) => `${name.toUpperCase().replace('-', '_')}_PASSWORD`;
const secret = () => randomBytes(18).toString('base64url');

const PARTS = ['vault-a', 'vault-b', 'api', 'projector', 'worker'] as const;
export type ReplicaName =
  `${'vault'}-${'a' | 'b'}` | `${'api' | 'projector' | 'worker'}-${number}` | 'event-node' | 'redis';

/** An answer that should not have been given, for tests that count them. */
export interface Fault {
  readonly api: number;
  readonly status: number;
  readonly text: string;
}

/**
 * The cluster profile without containers: the processes of docker-compose.yml with its commands and settings, Debian's
 * PostgreSQL twice, Redis, and our event node in KurrentDB's place. Requests go to its apis in turn, as from a load balancer.
 */
export class Cluster {
  readonly #processes = new Map<string, ClusterProcess>();
  readonly #apis: string[] = [];
  readonly #pools = new Map<string, Pool>();
  readonly #tokens = new Map<Role, string>();
  readonly #actors = new Map<Role, ActorId>();
  #turn = 0;
  #parts: Parts | undefined;
  /** Answers of 500 and more, of every api. */
  readonly faults: Fault[] = [];

  private constructor(
    private readonly directory: string,
    private readonly ports: Readonly<Record<string, number>>,
    private readonly compose: Compose,
    private readonly secrets: Readonly<Record<string, string>>,
    readonly readModelServer: PostgresServer,
    readonly vaultServer: PostgresServer,
  ) {}

  /** Makes the servers, then starts everything as `docker compose up` does, and resolves when all of it is ready. */
  static async start(bin: string): Promise<Cluster> {
    const directory = await mkdtemp(join(tmpdir(), 'makuler-cluster-'));
    await chmod(directory, 0o711); // as root, PostgreSQL runs as another user and must pass through
    const names = ['event-node', 'postgres', 'vault-postgres', 'redis', 'vault-a', 'vault-b'];
    const ports = Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await freePort(HOST)] as const)),
    );
    const secrets = Object.fromEntries(
      [...ROLES.map(passwordOf), ...OTHERS.map(passwordOf)].map((name) => [name, secret()]),
    );
    const server = (name: string, password: string) =>
      PostgresServer.make({ bin, directory: join(directory, name), port: ports[name]!, password });
    const [readModels, vault] = await Promise.all([
      server('postgres', secrets['POSTGRES_PASSWORD']!),
      server('vault-postgres', secrets['VAULT_POSTGRES_PASSWORD']!),
    ]);
    const compose = new Compose(secrets, placesIn(directory, ports));
    const cluster = new Cluster(directory, ports, compose, secrets, readModels, vault);
    try {
      await cluster.#up(bin);
    } catch (error) {
      await cluster.destroy();
      throw error;
    }
    return cluster;
  }

  process(name: ReplicaName): ClusterProcess {
    const found = this.#processes.get(name);
    if (!found) throw new Error(`there is no ${name}`);
    return found;
  }
  get processes(): readonly ClusterProcess[] {
    return [...this.#processes.values()];
  }

  /** To one api, or to each in turn. */
  async request(method: string, path: string, options: RequestOptions & { api?: number } = {}): Promise<Reply> {
    const { as = 'integrator', api = this.#turn++ % this.#apis.length } = options;
    const token = as === 'nobody' ? undefined : this.token(as);
    const reply = await ask(this.#apis[api]!, token, method, path, options);
    if (reply.status >= 500) this.faults.push({ api, status: reply.status, text: reply.text });
    return reply;
  }
  get(path: string, options: RequestOptions & { api?: number } = {}): Promise<Reply> {
    return this.request('GET', path, options);
  }
  post(path: string, body: unknown, options: RequestOptions & { api?: number } = {}): Promise<Reply> {
    return this.request('POST', path, { ...options, body });
  }

  token(role: Role): string {
    return this.#tokens.get(role)!;
  }

  /** In whose name the holder of a role's token acts; not of the operator's, which the command line made. */
  actor(role: Exclude<Role, 'operator'>): ActorId {
    return this.#actors.get(role)!;
  }

  /** What a process shows to Prometheus: the api to operators, the others where they listen for it. */
  async metricsOf(name: ReplicaName): Promise<string> {
    const api = /^api-(\d)$/.exec(name)?.[1];
    if (api !== undefined) return (await this.get('/metrics', { as: 'operator', api: Number(api) })).text;
    const answer = await fetch(`http://${HOST}:${this.process(name).spec.environment['METRICS_PORT']}/metrics`);
    return answer.text();
  }

  /** A database as its own role, in nobody's name. */
  database(name: 'readmodels' | 'control' | 'events' | 'vault'): Pool {
    const server = name === 'vault' ? this.vaultServer : this.readModelServer;
    return this.#pool(name, server.url(name, this.#role(name)));
  }

  /** The server of the read models, as its administrator. */
  async administrated(database: string): Promise<Pool> {
    return this.#pool(`administrator of ${database}`, this.readModelServer.url(database));
  }

  /** A database as the login that the file makes for analysts. */
  analystIn(database: string): string {
    return this.readModelServer.url(database, this.#role('analyst'));
  }

  get redisUrl(): string {
    return `redis://:${this.secrets['REDIS_PASSWORD']}@${HOST}:${this.ports['redis']}`;
  }

  readModelsIn(database: string): string {
    return this.readModelServer.url(database, this.#role('readmodels'));
  }

  /** What the file gives a program, but for where it listens. */
  async environmentOf(app: 'projector' | 'worker'): Promise<Record<string, string>> {
    const { METRICS_PORT: _, METRICS_HOST: __, ...environment } = this.compose.service(app).environment;
    return { ...BASE, ...environment };
  }

  /** Ledger, vault and shredder as a worker has them. */
  async parts(): Promise<Parts> {
    const configuration = readConfiguration(await this.environmentOf('worker'), PARTS_SETTINGS);
    return (this.#parts ??= await connect(configuration, { name: 'a test' }));
  }

  /** Kills Redis and starts it with nothing of what it had. */
  async emptyRedis(): Promise<void> {
    const redis = this.process('redis');
    await redis.kill('SIGKILL');
    await rm(join(this.directory, 'redis'), { recursive: true });
    await mkdir(join(this.directory, 'redis'));
    await redis.start();
  }

  /** Ends everything, in no order, and removes it. */
  async destroy(): Promise<void> {
    await this.#parts?.close();
    for (const pool of this.#pools.values()) await pool.end();
    await Promise.all(this.processes.map((process) => process.kill('SIGKILL')));
    await Promise.all([this.readModelServer.stop('SIGQUIT'), this.vaultServer.stop('SIGQUIT')]);
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  async #up(bin: string): Promise<void> {
    this.compose.makeSecrets();
    await this.#makeDatabases(bin);
    const { command } = this.compose.service('certificates');
    const names = ['vault-a', 'vault-b', 'kurrentdb'];
    const words = command.map((word) => (names.includes(word) ? 'localhost' : word));
    await execute(process.execPath, words, { env: BASE });
    await Promise.all(['a', 'b'].map((name) => mkdir(join(this.directory, `custodian-${name}`), { mode: 0o700 })));
    await Promise.all(['redis', 'backups'].map((name) => mkdir(join(this.directory, name))));
    this.#add('event-node', ['dist/apps/event-node/src/main.js'], this.#eventNode());
    this.#addRedis();
    await Promise.all(this.processes.map((process) => process.start()));
    for (const part of PARTS) await this.#addReplicas(part);
    await Promise.all(this.processes.slice(2).map((process) => process.start()));
    const tokens = new Tokens(this.database('control'), new SystemClock());
    for (const role of TOKEN_ROLES) {
      const { token, info } = await tokens.create({ roles: [role], label: 'a test' });
      this.#tokens.set(role, token);
      this.#actors.set(role, info.actorId);
    }
    // The first of a cluster comes from the command line.
    this.#tokens.set('operator', await this.#firstToken('operator'));
    await eventually(
      () => this.get('/health/ready', { as: 'nobody' }),
      ({ status }) => status === 200,
    );
  }

  /** By the scripts that the file gives the servers. */
  async #makeDatabases(bin: string): Promise<void> {
    const run = async (server: 'postgres' | 'vault-postgres', script: string) => {
      const { environment } = this.compose.service(server);
      const administrator = { PGUSER: 'postgres', PGPASSWORD: this.secrets[passwordOf(server)]! };
      const address = { PGHOST: HOST, PGPORT: String(this.ports[server]), PATH: `${bin}:/usr/bin:/bin` };
      await execute('/bin/sh', ['-c', this.compose.config(script)], {
        env: { ...environment, ...address, ...administrator },
      });
    };
    // The analyst's is run by hand too, where the server is older.
    for (const script of ['databases', 'analyst', 'analyst']) await run('postgres', script);
    await run('vault-postgres', 'databases');
    const server = await this.administrated('postgres');
    await server.query(`create role events login password '${this.#role('events').password}'`);
    await server.query('create database events owner events');
  }

  /** By the command line for people, as docs/operations.md has it. */
  async #firstToken(role: Role): Promise<string> {
    const { command, environment } = this.compose.service('cli');
    const [, ...words] = [...command, 'token', 'create', '--role', role, '--label', 'first'];
    const { stdout } = await execute(process.execPath, words, { env: { ...BASE, ...environment } });
    return stdout.trim();
  }

  #eventNode(): Record<string, string> {
    return {
      EVENT_NODE_DATABASE_URL: this.readModelServer.url('events', this.#role('events')),
      EVENT_NODE_PORT: String(this.ports['event-node']),
      EVENT_NODE_CERT_FILE: join(this.directory, 'issued/event-node/event-node.crt'),
      EVENT_NODE_KEY_FILE: join(this.directory, 'issued/event-node/event-node.key'),
      EVENT_NODE_PASSWORD: this.secrets['EVENTSTORE_PASSWORD']!,
    };
  }

  #addRedis(): void {
    const [program, ...flags] = this.compose.service('redis').command;
    const here = ['--port', String(this.ports['redis']), '--bind', HOST, '--dir', join(this.directory, 'redis')];
    const spec = { name: 'redis', command: [program!, ...flags, ...here], environment: BASE };
    this.#processes.set('redis', new ClusterProcess({ ...spec, ready: 'Ready to accept connections' }));
  }

  async #addReplicas(part: (typeof PARTS)[number]): Promise<void> {
    const { command, environment, replicas, restart } = this.compose.service(part);
    if (restart !== 'unless-stopped') throw new Error(`${part} is not started again when it ends`);
    for (let n = 0; n < replicas; n++) {
      // Each has an address of its own in a container; here each has a port.
      const own: Record<string, string> = { METRICS_HOST: HOST, METRICS_PORT: String(await freePort(HOST)) };
      if (part === 'vault-a' || part === 'vault-b')
        Object.assign(own, { VAULT_HOST: HOST, VAULT_PORT: String(this.ports[part]) });
      if (part === 'api') Object.assign(own, { HOST, PORT: String(await freePort(HOST)), ...NO_LIMITS });
      if (part === 'api') this.#apis.push(`http://${HOST}:${own['PORT']}`);
      this.#add(part.startsWith('vault') ? part : `${part}-${n}`, command, { ...environment, ...own });
    }
  }

  #add(name: string, command: readonly string[], environment: Readonly<Record<string, string>>): void {
    // Beside what the file says: starts that are quick, and no process that outlives the test.
    const ours = {
      NODE_COMPILE_CACHE: join(this.directory, 'compile-cache'),
      NODE_OPTIONS: `--import=${pathToFileURL('dist/libs/observability/src/follow-parent.js').href}`,
    };
    const spec = { name, command: [process.execPath, ...command], environment: { ...BASE, ...ours, ...environment } };
    this.#processes.set(name, new ClusterProcess(spec));
  }

  #role(name: string): { name: string; password: string } {
    return { name, password: this.secrets[passwordOf(name)]! };
  }

  #pool(key: string, url: string): Pool {
    const pool = this.#pools.get(key) ?? createPool(url, { name: 'a test', max: 2 });
    this.#pools.set(key, pool);
    return pool;
  }
}

const BASE = { PATH: '/usr/bin:/bin', TZ: 'UTC', NODE_ENV: 'production' };
/** A test asks more often than a person does; the limits have a spec of their own. */
const NO_LIMITS = { RATE_LIMIT_ADDRESS: '0', RATE_LIMIT_TOKEN: '0', RATE_LIMIT_LOOKUPS: '0' };

/** Where on this machine is what docker-compose.yml has in containers. */
const placesIn = (directory: string, ports: Readonly<Record<string, number>>): (readonly [string, string])[] => [
  // KurrentDB's administrator; our event node has one user, called makuler.
  ['esdb://admin:', 'esdb://makuler:'],
  ['@kurrentdb:2113', `@localhost:${ports['event-node']}`],
  ['@postgres/', `@${HOST}:${ports['postgres']}/`],
  ['@vault-postgres/', `@${HOST}:${ports['vault-postgres']}/`],
  ['@redis:6379', `@${HOST}:${ports['redis']}`],
  ['vault-a:2114', `localhost:${ports['vault-a']}`],
  ['vault-b:2114', `localhost:${ports['vault-b']}`],
  ...['/issued', '/custodian-a', '/custodian-b', '/backups', '/run/secrets'].map(
    (path) => [path, join(directory, path)] as const,
  ),
  // In addresses, where it is the authority's certificate, of which every program has a copy.
  ['/certificates', join(directory, 'issued/cli')],
  ['/app/policy', join(process.cwd(), 'policy')],
  ['/analyst-role.sql', join(process.cwd(), 'libs/postgres/src/analyst-role.sql')],
];
