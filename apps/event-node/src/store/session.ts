import type { Pool, PoolClient } from '#postgres';
import type { Assumptions } from './batch.js';
import type { StoredEvent } from './event.js';

/** Two 32-bit numbers that nobody else locks in this database: "MAKU", "LOG". */
const LOCK = [0x4d414b55, 0x4c4f47];
const LOCK_RETRY_MS = 50;

/** Another event node writes to this database. */
export class AnotherWriterError extends Error {
  override readonly name = 'AnotherWriterError';
  constructor() {
    super('Another event node is using this database: stop it first, or give this one a database of its own.');
  }
}

/**
 * The only connection that writes. It holds the fence, an advisory lock of the session, and every insert goes through this very
 * session: where the insert arrives, the lock is held, so two nodes can't both write, whatever each of them believes.
 */
export class WriterSession {
  #lost = false;
  /** Called when the connection breaks by itself. */
  onLost: () => void = () => {};

  private constructor(private readonly client: PoolClient) {
    client.once('error', () => {
      this.close();
      this.onLost();
    });
    client.once('end', () => {
      this.#lost = true;
      this.onLost();
    });
  }

  /**
   * Waits for the fence up to `patienceMs`: a node that was just killed holds it until PostgreSQL notices that its connection is
   * gone. Rejects with AnotherWriterError, or `database-unavailable`. `pool` gives up a server that is silent for longer than
   * `statementTimeoutMs`.
   */
  static async open(pool: Pool, statementTimeoutMs: number, patienceMs: number): Promise<WriterSession> {
    const client = await pool.connect();
    const session = new WriterSession(client);
    try {
      // The first setting is the promise of every receipt, whatever the server's default is. The second makes PostgreSQL give up
      // a write that its client gave up; the third makes it notice a client that vanished, and release the lock. The last: all that
      // is looked up here is looked up by key, and a plan that was made while the log was small must not read all of a large one.
      await client.query(
        `set synchronous_commit = on; set statement_timeout = ${statementTimeoutMs}; set client_connection_check_interval = 2000;
         set enable_seqscan = off`,
      );
      const patience = performance.now() + patienceMs;
      while (!(await session.#tryLock())) {
        if (performance.now() > patience) throw new AnotherWriterError();
        await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MS));
      }
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  get lost(): boolean {
    return this.#lost;
  }

  /** A query in the writer's session. */
  readonly query = ((...parameters: Parameters<Pool['query']>) =>
    (this.client.query as (...p: unknown[]) => unknown)(...parameters)) as Pool['query'];

  /**
   * One statement, one transaction: all of them or none, flushed to disk when it resolves with true. With false nothing was
   * written: one of the assumptions does not hold.
   */
  async insert(events: readonly StoredEvent[], { absent, unseen }: Assumptions = NOTHING_ASSUMED): Promise<boolean> {
    const blobs = events.flatMap(({ data, metadata }) => [data, metadata]);
    const { rowCount } = await this.query({
      name: 'insert',
      // Looked up row by row (`lateral … limit 1`), or the plan for an empty log would read all streams for each of them.
      // Data and metadata travel as one binary parameter, cut up by their lengths: as array elements they would travel as hexadecimal text.
      text: `insert into event (position, stream, revision, event_id, type, json, created, data, metadata)
        select e.position, e.stream, e.revision, e.event_id, e.type, e.json, e.created,
               substring($1::bytea from e.start + 1 for e.data_length),
               substring($1::bytea from e.start + e.data_length + 1 for e.metadata_length)
        from unnest($2::bigint[], $3::text[], $4::bigint[], $5::uuid[], $6::text[], $7::boolean[], $8::bigint[],
                    $9::integer[], $10::integer[], $11::integer[])
             as e (position, stream, revision, event_id, type, json, created, start, data_length, metadata_length)
        where not exists (select from unnest($12::text[]) as absent (name) cross join lateral
                            (select from event where event.stream = absent.name and event.revision = 0 limit 1) found)
          and not exists (select from unnest($13::text[], $14::uuid[]) as unseen (name, id) cross join lateral
                            (select from event where event.event_id = unseen.id and event.stream = unseen.name limit 1) found)`,
      values: [
        Buffer.concat(blobs),
        events.map(({ position }) => position),
        events.map(({ stream }) => stream),
        events.map(({ revision }) => revision),
        events.map(({ id }) => id),
        events.map(({ type }) => type),
        events.map(({ json }) => json),
        events.map(({ created }) => created),
        startsOf(events),
        events.map(({ data }) => data.length),
        events.map(({ metadata }) => metadata.length),
        absent,
        unseen.map(({ stream }) => stream),
        unseen.map(({ id }) => id),
      ],
    });
    return rowCount === events.length;
  }

  /** Ends the connection, and with it the fence. */
  close(): void {
    if (this.#lost) return;
    this.#lost = true;
    this.client.on('error', () => {}); // a broken connection may report once more while it is taken down
    this.client.release(true);
  }

  async #tryLock(): Promise<boolean> {
    const { rows } = await this.client.query<{ held: boolean }>('select pg_try_advisory_lock($1, $2) as held', LOCK);
    return rows[0]?.held === true;
  }
}

const NOTHING_ASSUMED: Assumptions = { absent: [], unseen: [] };

const startsOf = (events: readonly StoredEvent[]): number[] => {
  let at = 0;
  return events.map(({ data, metadata }) => {
    const start = at;
    at += data.length + metadata.length;
    return start;
  });
};
