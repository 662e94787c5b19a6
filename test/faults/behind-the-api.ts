import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type Parts, type PartsConfiguration } from '#composition';
import { createPool, type Pool } from '#postgres';
import { ensureCertificates, environmentOf } from '../../apps/cli/src/up/environment.js';
import { homeIn } from '../../apps/cli/src/up/home.js';
import type { App } from '../../apps/cli/src/up/options.js';
import { DATABASES, type DatabaseName, type Secrets } from '../../apps/cli/src/up/secrets.js';
import type { Installation } from '../journeys/installation.js';

/** An event as its row in the log says it, sealed blocks and all. */
export interface RawEvent {
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, any>>;
  readonly metadata: Readonly<Record<string, any>>;
}

/** A running installation seen from behind: its databases without any of our programs, and its parts as the worker has them. */
export class BehindTheApi {
  readonly #pools = new Map<string, Pool>();
  #parts: Parts | undefined;

  private constructor(
    private readonly makuler: Installation,
    private readonly secrets: Secrets,
    private readonly ports: { readonly vault: number; readonly eventNode: number },
    private readonly postgres: string,
  ) {}

  /** Of the run that is under way: after a restart of everything, ask anew. */
  static async of(makuler: Installation): Promise<BehindTheApi> {
    const read = async (name: string) => JSON.parse(await readFile(join(makuler.home, name), 'utf8'));
    const [secrets, state, running] = await Promise.all(['secrets.json', 'state.json', 'running.json'].map(read));
    return new BehindTheApi(makuler, secrets, state.ports, running.addresses.postgres);
  }

  /** A database of the installation, under the role that owns it. */
  database(name: DatabaseName): Pool {
    return this.#pool(name, this.#url(name));
  }

  /** A database of the embedded server, as its administrator. */
  async administrated(database: string): Promise<Pool> {
    const password = (await readFile(join(this.makuler.home, 'postgres/password'), 'utf8')).trim();
    return this.#pool(`admin ${database}`, this.#address(database, 'makuler', password));
  }

  /** The address of another database under the role of the read models. */
  readModelsIn(database: string): string {
    return this.#address(database, 'readmodels', this.secrets.readmodels);
  }

  /** What the supervisor gives one of its programs. */
  async environmentOf(app: App): Promise<Record<string, string>> {
    const home = homeIn(this.makuler.home);
    const databases = Object.fromEntries(DATABASES.map((name) => [name, this.#url(name)]));
    return environmentOf(
      app,
      {
        ...{ home, host: '127.0.0.1', port: 0, policy: this.makuler.policy, custodian: [], preload: '' },
        ...{ baseEnv: { PATH: '/usr/bin:/bin', TZ: 'UTC' }, scriptOf: () => '' },
      },
      {
        ...{ apiPort: 0, vaultPort: this.ports.vault, eventNodePort: this.ports.eventNode },
        ...{ databases: databases as Record<DatabaseName, string>, eventNodePassword: this.secrets.eventNode },
      },
      await ensureCertificates(home.certificates),
    );
  }

  /** Ledger, vault and shredder as the worker has them. */
  async parts(): Promise<Parts> {
    const environment = (await this.environmentOf('worker')) as unknown as PartsConfiguration;
    return (this.#parts ??= await connect(environment, { name: 'attack-test' }));
  }

  /** The whole log, row by row. */
  async log(): Promise<readonly RawEvent[]> {
    const { rows } = await this.database('events').query(
      `select position, stream, revision, event_id as id, type, data, metadata from event order by position`,
    );
    return rows.map((row) => ({
      ...row,
      ...{ position: Number(row.position), revision: Number(row.revision) },
      ...{ data: parsed(row.data), metadata: parsed(row.metadata) },
    }));
  }

  async close(): Promise<void> {
    await this.#parts?.close();
    for (const pool of this.#pools.values()) await pool.end();
  }

  #pool(key: string, url: string): Pool {
    const pool = this.#pools.get(key) ?? createPool(url, { name: 'attack test', max: 2 });
    this.#pools.set(key, pool);
    return pool;
  }

  #url(name: DatabaseName): string {
    return this.#address(name, name, this.secrets[name]);
  }

  #address(database: string, role: string, password: string): string {
    return `postgres://${role}:${encodeURIComponent(password)}@${this.postgres}/${database}`;
  }
}

/** The store's own events may have nothing beside them. */
const parsed = (bytes: Buffer): Record<string, any> => (bytes.length === 0 ? {} : JSON.parse(bytes.toString()));
