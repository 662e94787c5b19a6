import type { PostgresConnectionOptions, Processor, WorkerOptions } from 'bullmq';
import { Queue, Worker, createPostgresBackend, runMigrations } from 'bullmq';
import type { Cluster, Redis } from 'ioredis';
import pg from 'pg';
import { MakulerError } from '#kernel';
import { parseRedisUrl } from './redis-address.js';
import { redisAt } from './redis-connection.js';

export type BackendQueue = Pick<
  Queue,
  'add' | 'upsertJobScheduler' | 'getJobScheduler' | 'getJobCounts' | 'waitUntilReady' | 'close' | 'on'
>;
export type BackendWorker = Pick<Worker, 'waitUntilReady' | 'pause' | 'close' | 'on'>;
export type WorkerTuning = Omit<WorkerOptions, 'connection'>;

/** Where BullMQ keeps its queues. Both adapters pass test/conformance/jobs. */
export abstract class JobBackend {
  /** Brings the store's schema up to date. Processes that start together do it once. */
  abstract prepare(): Promise<void>;
  abstract queue(name: string): BackendQueue;
  abstract worker(name: string, processor: Processor, tuning: WorkerTuning): BackendWorker;
  /** Ends the connections; after all queues and workers were closed. */
  abstract close(): Promise<void>;
}

/**
 * BullMQ on PostgreSQL, in the schema `bullmq`. One pool serves all queues of a process: left to itself BullMQ opens one of
 * up to ten connections for each queue and worker. Each worker takes one connection for good, to LISTEN.
 */
export class PostgresBackend extends JobBackend {
  readonly #pool: pg.Pool;

  /** `workers`: how many workers this process will have. */
  constructor(url: string, workers: number) {
    super();
    this.#pool = new pg.Pool({
      connectionString: url,
      application_name: 'makuler jobs',
      max: workers + 4,
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
      // BullMQ's statements name no schema, and with a pool of ours it does not set one.
      options: '-c search_path=bullmq',
    });
    // A broken connection is replaced, idle or not; without a listener it would end the process.
    this.#pool.on('error', () => undefined);
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
  }

  async prepare(): Promise<void> {
    const client = await this.#pool.connect();
    try {
      await runMigrations(client);
    } finally {
      client.release();
    }
  }

  /** A pg.Pool is what BullMQ asks for; its type of one is only too narrow. */
  get #connection(): PostgresConnectionOptions {
    return this.#pool as unknown as PostgresConnectionOptions;
  }

  queue(name: string): BackendQueue {
    return new Queue(name, { connection: this.#connection }, createPostgresBackend) as unknown as BackendQueue;
  }

  worker(name: string, processor: Processor, tuning: WorkerTuning): BackendWorker {
    const options = { ...tuning, connection: this.#connection };
    return new Worker(name, processor, options, createPostgresBackend) as unknown as BackendWorker;
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

/** In braces: a cluster keeps all keys with one such name on one node, as BullMQ's scripts need it. */
const PREFIX = '{makuler}';

/** BullMQ on Redis, under keys that begin with `{makuler}:`. */
export class RedisBackend extends JobBackend {
  readonly #connection: Redis | Cluster;
  #lastError: unknown;

  /** `url`: see `parseRedisUrl`. Throws InvalidSetting. */
  constructor(url: string) {
    super();
    this.#connection = redisAt(parseRedisUrl(url));
    this.#connection.on('error', (error) => (this.#lastError = error));
  }

  async prepare(): Promise<void> {
    try {
      await this.#connection.connect();
    } catch (error) {
      // Said anew: an error of the client holds the command, and that of a wrong password the password. And it names what went
      // wrong only in its event; what it rejects with is that the connection was closed.
      const { message } = (this.#lastError ?? error) as Error;
      throw new MakulerError('queue-unavailable', { detail: `Redis: ${message}`, retryAfterSeconds: 2 });
    }
  }

  queue(name: string): BackendQueue {
    return new Queue(name, { connection: this.#connection, prefix: PREFIX });
  }

  worker(name: string, processor: Processor, tuning: WorkerTuning): BackendWorker {
    return new Worker(name, processor, { ...tuning, connection: this.#connection, prefix: PREFIX });
  }

  close(): Promise<void> {
    this.#connection.disconnect();
    return Promise.resolve();
  }
}

/** Redis where its address is given, else PostgreSQL. */
export const jobBackend = (at: {
  readonly databaseUrl: string;
  readonly redisUrl?: string | undefined;
  readonly workers?: number;
}): JobBackend =>
  at.redisUrl === undefined ? new PostgresBackend(at.databaseUrl, at.workers ?? 0) : new RedisBackend(at.redisUrl);
