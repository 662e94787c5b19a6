import type { Socket } from 'node:net';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { DatabaseError, translateError } from './errors.js';

/** Connections of one process to one database. Every error that comes out of it went through `translateError`. */
export type Pool = pg.Pool;
/** One connection taken from a Pool; `release()` it, with `true` when it may be broken. */
export type PoolClient = pg.PoolClient;

export interface PoolOptions {
  /** What the server shows as application_name: the process and what for. */
  readonly name: string;
  /** Connections at most (default 10). */
  readonly max?: number;
  /**
   * Send a connection's statements without waiting for the answers to those before: who has many to make on one connection
   * (`askingOn`) waits for the network once. They run in the order in which they were asked for, as ever.
   */
  readonly pipeline?: boolean;
  /**
   * A server that is asked something and sends nothing for so many milliseconds (stopped, or behind a network that swallows
   * everything) is given up: the connection is destroyed, and whatever waits for it rejects with `database-unavailable`. What it
   * was asked may still be done. Only for statements that are surely shorter, waiting for locks counted in; a cursor that is read
   * slowly is silent too. Without it such a server is noticed by TCP alone.
   */
  readonly silenceMs?: number;
  /** Called when an idle connection breaks; the pool replaces it by itself, so the default is silence. */
  readonly onIdleError?: (error: unknown) => void;
}

const rethrow = (error: unknown): never => {
  throw translateError(error);
};
/** Promises reject translated; callbacks (the pool's own inner calls) and cursors pass through as they are. */
const translating = <T>(result: T): T => (result instanceof Promise ? (result.catch(rethrow) as T) : result);

/** After so long without a packet the other side is asked for a sign of life; without one for ten seconds more it is gone. */
const KEEP_ALIVE_AFTER_MS = 10_000;

class TranslatingClient extends pg.Client {
  #waiting = false;

  /** Once it is connected; see PoolOptions. */
  limitSilence(silenceMs: number): void {
    this.on('drain', () => (this.#waiting = false));
    const { stream } = (this as unknown as { connection: { stream: Socket } }).connection;
    stream.setTimeout(silenceMs);
    // Not the listener that `setTimeout` takes: that one hears of the first silence only.
    stream.on('timeout', () => {
      if (this.#waiting) stream.destroy();
    });
  }

  override query(...parameters: unknown[]): never {
    this.#waiting = true;
    return translating((super.query as (...p: unknown[]) => unknown).apply(this, parameters)) as never;
  }
}

class TranslatingPool extends pg.Pool {
  override connect(...parameters: unknown[]): never {
    return translating((super.connect as (...p: unknown[]) => unknown).apply(this, parameters)) as never;
  }
  override query(...parameters: unknown[]): never {
    return translating((super.query as (...p: unknown[]) => unknown).apply(this, parameters)) as never;
  }
}

const DATE = pg.types.builtins.DATE;

/**
 * Opens a pool; connects on first use. `bigint` and `numeric` come as text (nothing is rounded), `date` as `YYYY-MM-DD`
 * text (a Date would move by the machine's time zone), `timestamptz` as Date. Queries throw `database-unavailable` or
 * DatabaseError.
 */
export const createPool = (url: string, options: PoolOptions): Pool => {
  const pool = new TranslatingPool({
    connectionString: url,
    application_name: options.name,
    max: options.max ?? 10,
    pipeline: options.pipeline ?? false,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    Client: TranslatingClient,
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        oid === DATE ? (value: string) => value : pg.types.getTypeParser(oid, format as 'text'),
    },
  });
  // Without a listener a broken idle connection (the database restarted) would end the process.
  pool.on('error', (error) => options.onIdleError?.(translateError(error)));
  // The same while a connection is out: whoever has it is told by the query that fails.
  pool.on('connect', (client) => {
    client.on('error', () => undefined);
    if (options.silenceMs !== undefined) (client as unknown as TranslatingClient).limitSilence(options.silenceMs);
  });
  return pool;
};

/** Typed queries over a pool; `T` maps table names to row types. Destroying it ends the pool. */
export const createDatabase = <T>(pool: Pool): Kysely<T> => new Kysely<T>({ dialect: new PostgresDialect({ pool }) });

/** Asks for one statement; statements run in the order in which they were asked for. */
export type Ask = (text: string, values: readonly unknown[]) => Promise<unknown>;

/**
 * Statements on one connection that somebody holds, in its transaction if it is in one. They may be asked for without waiting
 * for those before; unlike Kysely's own transactions, a connection of a pool with `pipeline` sends them so too.
 */
export const askingOn = (client: PoolClient): Ask => {
  const ask: Ask = (text, values) => client.query({ name: nameOf(text), text, values: values as unknown[] });
  return pipelines(client) ? ask : oneAfterTheOther(ask);
};

/** Typed queries by `ask`, which Kysely holds for a connection. */
export const createDatabaseBy = <T>(ask: Ask): Kysely<T> => {
  const held = { query: ask, release: () => undefined };
  const pool = { connect: () => Promise.resolve(held), end: () => Promise.resolve() };
  return new Kysely<T>({ dialect: new PostgresDialect({ pool: pool as unknown as Pool }) });
};

const pipelines = (client: PoolClient): boolean => (client as { readonly pipeline?: boolean }).pipeline === true;

/** The driver's own queue, which it is about to lose for connections that do not pipeline. */
const oneAfterTheOther = (ask: Ask): Ask => {
  let last: Promise<unknown> = Promise.resolve();
  return (text, values) => {
    const asked = () => ask(text, values);
    return (last = last.then(asked, asked));
  };
};

/** Statements that a connection keeps parsed at most; with values of varying number a program may have any number of texts. */
const NAMED = 200;
const names = new Map<string, string>();

/** What the server knows a statement by, so that it is parsed once for each connection; none for what is beyond the bound. */
const nameOf = (text: string): string | undefined => {
  let name = names.get(text);
  if (name === undefined && names.size < NAMED) names.set(text, (name = `s${names.size}`));
  return name;
};

/** How many rows a statement met or made. */
type Counted = { readonly rowCount: number | null };

/**
 * One transaction of statements that are all known beforehand; a pool with `pipeline` sends them at once, so that it takes one exchange
 * with the server. Gives how many rows each of them met or made. Throws what the first one failed with: then all are rolled back,
 * unless it was a value of which the driver can make none for the server, who knows nothing of that. Only plain values, therefore.
 */
export const inOneExchange = async (
  pool: Pool,
  statements: readonly (readonly [text: string, values: readonly unknown[]])[],
): Promise<readonly number[]> => {
  const client = await pool.connect();
  const ask = askingOn(client);
  const sent = [['begin', []] as const, ...statements, ['commit', []] as const].map(([text, values]) =>
    ask(text, values),
  );
  const answers = await Promise.allSettled(sent);
  const failed = answers.find((answer) => answer.status === 'rejected');
  // The commit of a transaction in which something failed rolls back. What no server has refused leaves the connection in doubt.
  client.release(failed !== undefined && !(failed.reason instanceof DatabaseError));
  if (failed) throw failed.reason;
  return answers.slice(1, -1).map((answer) => ('value' in answer ? ((answer.value as Counted).rowCount ?? 0) : 0));
};

/** Runs `work` in one transaction: commits when it resolves, rolls back when it throws. */
export const inTransaction = <T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> =>
  inTransactionFrom(pool, async (client) => void (await client.query('begin')), work);

/** The same, with a beginning of the caller's own; one that throws is rolled back too. */
export const inTransactionFrom = async <T>(
  pool: Pool,
  begin: (client: PoolClient) => Promise<void>,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> => {
  const client = await pool.connect();
  try {
    await begin(client);
    const result = await work(client);
    await client.query('commit');
    client.release();
    return result;
  } catch (error) {
    // A rollback that fails too means a broken connection: it must not go back into the pool inside a transaction.
    const broken = await client.query('rollback').then(
      () => false,
      () => true,
    );
    client.release(broken);
    throw error;
  }
};
