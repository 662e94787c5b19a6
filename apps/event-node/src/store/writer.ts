import { DatabaseError, type Pool } from '#postgres';
import type { Decided } from './batch.js';
import { Batch } from './batch.js';
import type { Append, Outcome } from './event.js';
import { sizeOf } from './event.js';
import { headOf } from './pages.js';
import { Revisions } from './revisions.js';
import { AnotherWriterError, WriterSession } from './session.js';
import type { Tail } from './tail.js';

/** One transaction takes at most this much, so that a burst of large appends does not make the small ones behind it wait for long. */
const BATCH_BYTES = 8 * 1024 * 1024;
const BATCH_EVENTS = 4_096;
/** While it runs, appends wait for the answer: it rather tries again. */
const FENCE_PATIENCE_MS = 250;
const RETRY_FROM_MS = 50;
const RETRY_TO_MS = 1_000;

interface Waiting {
  readonly append: Append;
  readonly answer: (outcome: Outcome) => void;
}

/** What happens around the writer, for the program's log. Ids and codes only. */
export type WriterEvent =
  { readonly event: 'writer-lost'; readonly reason: string } | { readonly event: 'writer-back'; readonly head: number };

/**
 * The only writer: takes all the appends that wait, commits them in one transaction, answers them, and takes the next. Positions are
 * given here, by one loop, in commit order; a sequence of the database would leave holes and let a reader overtake a commit.
 * After any doubt (a lost connection, an unexpected refusal) nothing is assumed: it connects anew, takes the fence, reads the state again.
 */
export class Writer {
  readonly #queue: Waiting[] = [];
  readonly #revisions = new Revisions();
  #session: WriterSession | undefined;
  #wake: () => void = () => {};
  #closing = false;
  #lost = false;
  readonly #done: Promise<void>;

  private constructor(
    private readonly pool: Pool,
    private readonly tail: Tail,
    private readonly statementTimeoutMs: number,
    private readonly report: (event: WriterEvent) => void,
    session: WriterSession,
  ) {
    this.#session = session;
    this.#done = this.#run();
  }

  /** `session` holds the fence, and `tail` was read under it. */
  static over(
    pool: Pool,
    tail: Tail,
    statementTimeoutMs: number,
    report: (event: WriterEvent) => void,
    session: WriterSession,
  ): Writer {
    return new Writer(pool, tail, statementTimeoutMs, report, session);
  }

  /** Never rejects; `committed` only when it is on disk. */
  append(append: Append): Promise<Outcome> {
    if (this.#closing) return Promise.resolve({ kind: 'unavailable' });
    return new Promise((answer) => {
      this.#queue.push({ append, answer });
      this.#wake();
    });
  }

  /** Commits what waits, answers it, and gives the fence back. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#wake();
    await this.#done;
    this.#session?.close();
  }

  async #run(): Promise<void> {
    let pause = RETRY_FROM_MS;
    for (;;) {
      if (this.#closing && this.#queue.length === 0) return;
      // Also while nobody writes: subscribers wait for what a lost session may have committed.
      const session = await this.#openSession();
      if (!session) {
        for (const { answer } of this.#queue.splice(0)) answer({ kind: 'unavailable' });
        if (!this.#closing) await new Promise((resolve) => setTimeout(resolve, pause));
        pause = Math.min(pause * 2, RETRY_TO_MS);
        continue;
      }
      pause = RETRY_FROM_MS;
      if (this.#queue.length > 0) {
        await this.#commit(session, this.#takeWaiting());
        continue;
      }
      await this.#somethingToDo(session);
      // What came in the same turn of the event loop comes along; the first of them alone would make all others wait for its commit.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #somethingToDo(session: WriterSession): Promise<void> {
    if (this.#closing || session.lost) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      session.onLost = resolve;
    });
  }

  #takeWaiting(): Waiting[] {
    let [bytes, events, count] = [0, 0, 0];
    for (const { append } of this.#queue) {
      for (const event of append.events) bytes += sizeOf(event);
      events += append.events.length;
      if (count > 0 && (bytes > BATCH_BYTES || events > BATCH_EVENTS)) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  async #commit(session: WriterSession, waiting: readonly Waiting[]): Promise<void> {
    const appends = waiting.map(({ append }) => append);
    try {
      const { events, outcomes } = await this.#write(session, appends);
      for (const { stream, revision } of events) this.#revisions.set(stream, revision);
      for (const [index, { answer }] of waiting.entries()) answer(outcomes[index]!);
      this.tail.publish(events);
    } catch (error) {
      // A value that PostgreSQL will not take is the fault of one append: the others must not suffer for it.
      if (waiting.length > 1 && error instanceof DatabaseError && /^(22|54)/.test(error.code)) {
        for (const one of waiting) await this.#commitAlone(one);
        return;
      }
      this.#abandon(session, error);
      for (const { answer } of waiting) answer({ kind: 'unavailable' });
    }
  }

  async #write(session: WriterSession, appends: readonly Append[]): Promise<Decided> {
    const decided = await Batch.assuming(appends, session, this.#revisions, this.tail.head);
    const { events, assumptions } = decided;
    if (events.length > 0 && (await session.insert(events, assumptions))) return decided;
    // Nothing was written. What was decided without assuming anything stands all the same.
    if (assumptions.absent.length + assumptions.unseen.length === 0) return decided;
    const asked = await Batch.asking(appends, session, this.#revisions, this.tail.head);
    if (asked.events.length > 0) await session.insert(asked.events);
    return asked;
  }

  async #commitAlone(one: Waiting): Promise<void> {
    const session = await this.#openSession();
    if (session) await this.#commit(session, [one]);
    else one.answer({ kind: 'unavailable' });
  }

  #abandon(session: WriterSession, error: unknown): void {
    session.close();
    this.#session = undefined;
    this.#reportLost(error);
  }

  /** Once for each outage, not for each attempt to end it. */
  #reportLost(error: unknown): void {
    if (!this.#lost) this.report({ event: 'writer-lost', reason: reasonOf(error) });
    this.#lost = true;
  }

  /** The session with the fence, opened again when it was lost; `undefined` while the database is away or fenced by another node. */
  async #openSession(): Promise<WriterSession | undefined> {
    if (this.#session && !this.#session.lost) return this.#session;
    if (this.#session) this.#reportLost({ code: 'connection-lost' });
    this.#session = undefined;
    let session: WriterSession | undefined;
    try {
      session = await WriterSession.open(this.pool, this.statementTimeoutMs, FENCE_PATIENCE_MS);
      const head = await headOf(session);
      this.#revisions.clear();
      // Whatever was in doubt is decided now: its old session is gone, or it would still hold the fence.
      this.tail.restart(head);
      this.#lost = false;
      this.report({ event: 'writer-back', head });
      return (this.#session = session);
    } catch (error) {
      session?.close();
      this.#reportLost(error);
      return undefined;
    }
  }
}

const reasonOf = (error: unknown): string => {
  if (error instanceof AnotherWriterError) return 'another-writer';
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : 'no-answer';
};
