import { newId } from '#kernel';
import { assertDurable, createPool, migrate, type Pool } from '#postgres';
import type { Append, Outcome, StoredEvent } from './event.js';
import { allPage, headOf, streamExists, streamPage, type Direction, type Page } from './pages.js';
import { MIGRATIONS, SCHEMA_NAME } from './schema.js';
import { WriterSession } from './session.js';
import { Tail } from './tail.js';
import { Writer, type WriterEvent } from './writer.js';

const READERS = 8;
/** A page is read by key. Clients wait longer than this for the first event. */
const READ_SILENCE_MS = 15_000;
/** At the start there is no hurry: a node that was killed a moment ago must not keep its successor out. */
const FENCE_PATIENCE_MS = 5_000;

export interface EventLogOptions {
  readonly databaseUrl: string;
  /** PostgreSQL gives up a write after so many milliseconds. */
  readonly writeTimeoutMs: number;
  /** A database that has nothing of a page to give for so many milliseconds is given up (default 15 s). */
  readonly readSilenceMs?: number;
  readonly report: (event: WriterEvent) => void;
}

/** The log over one PostgreSQL database: one writer, any number of readers. */
export class EventLog {
  private constructor(
    private readonly writing: Pool,
    private readonly reading: Pool,
    private readonly writer: Writer,
    /** The newest events, and the place to wait for more. */
    readonly tail: Tail,
    /** Random id of this log, made with it. A copy that was restored and then written to has the same one. */
    readonly incarnation: string,
  ) {}

  /**
   * Takes the fence, brings the schema up to date and reads where the log ends. Rejects with AnotherWriterError,
   * `database-unavailable`, `database-not-durable` or MigrationError.
   */
  static async open(options: EventLogOptions): Promise<EventLog> {
    const { databaseUrl, writeTimeoutMs, readSilenceMs = READ_SILENCE_MS } = options;
    // A write that PostgreSQL gave up is answered in time, so what is silent for twice as long answers no more.
    const writing = createPool(databaseUrl, { name: 'event-node writer', max: 1, silenceMs: 2 * writeTimeoutMs });
    const reading = createPool(databaseUrl, { name: 'event-node reader', max: READERS, silenceMs: readSilenceMs });
    let session: WriterSession | undefined;
    try {
      await assertDurable(reading);
      session = await WriterSession.open(writing, writeTimeoutMs, FENCE_PATIENCE_MS);
      await bringUpToDate(databaseUrl);
      const { rows } = await reading.query<{ incarnation: string }>('select incarnation from log');
      const incarnation = rows[0]!.incarnation;
      if ((await headOf(reading)) === 0) await session.insert([firstEvent(incarnation)]);
      const tail = new Tail(await headOf(reading));
      const writer = Writer.over(writing, tail, writeTimeoutMs, options.report, session);
      return new EventLog(writing, reading, writer, tail, incarnation);
    } catch (error) {
      session?.close();
      await Promise.all([writing.end(), reading.end()]);
      throw error;
    }
  }

  /** Never rejects; see Outcome. */
  append(append: Append): Promise<Outcome> {
    return this.writer.append(append);
  }

  /** A page of the whole log from `start` (inclusive). Rejects with `database-unavailable`. */
  allPage(direction: Direction, start: number, limit: number): Promise<Page> {
    return allPage(this.reading, direction, start, limit);
  }

  /** A page of a stream from the revision `start` (inclusive). Rejects with `database-unavailable`. */
  streamPage(stream: string, direction: Direction, start: number, limit: number): Promise<Page> {
    return streamPage(this.reading, stream, direction, start, limit);
  }

  streamExists(stream: string): Promise<boolean> {
    return streamExists(this.reading, stream);
  }

  /** Writes what waits, then lets go of the database. */
  async close(): Promise<void> {
    await this.writer.close();
    await Promise.all([this.writing.end(), this.reading.end()]);
  }
}

/** On a connection of its own: a step may take long, and be silent. */
const bringUpToDate = async (databaseUrl: string): Promise<void> => {
  const pool = createPool(databaseUrl, { name: 'event-node start', max: 1 });
  await migrate(pool, SCHEMA_NAME, MIGRATIONS).finally(() => pool.end());
};

/** A real node has events of its own from the start, so a log is never empty; ours tells which log this is. */
const firstEvent = (incarnation: string): StoredEvent => ({
  position: 1,
  stream: '$event-node',
  revision: 0,
  id: newId(),
  type: '$log-created',
  json: true,
  created: Date.now(),
  data: Buffer.from(JSON.stringify({ incarnation })),
  metadata: Buffer.alloc(0),
});
