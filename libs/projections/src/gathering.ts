import type { Kysely } from 'kysely';
import type { RecordedEvent } from '#ledger';
import type { Ask } from '#postgres';
import { createDatabaseBy } from '#postgres';
import { HandlerFailure } from './failures.js';
import type { Effect, Effects } from './projection.js';
import type { RowWrite } from './row-writes.js';
import { rowText } from './row-writes.js';
import { TableWrites } from './table-writes.js';

/** So much text waits at most, in UTF-16 units: a batch of large events must not become one statement of half a gigabyte. */
export const GATHERED = 8 * 2 ** 20;

/**
 * The statements of a batch. Rows for one statement go together, though others stand between them: rows that have nothing
 * to do with each other come out the same in any order. What touches the same row keeps its order; a query of Kysely's goes
 * after all that was asked for before it. All is sent without waiting for answers.
 */
export class Gathering {
  readonly #tables = new Map<string, TableWrites>();
  #sent: { readonly event: RecordedEvent; readonly outcome: Promise<{ readonly error: unknown } | undefined> }[] = [];
  #length = 0;

  /** `fixed`: columns that every write of one row gives the same value. `apart`: send each row by itself. */
  constructor(
    private readonly ask: Ask,
    private readonly options: { readonly fixed: readonly string[]; readonly apart: boolean },
  ) {}

  /** For who asks by himself, as what forgets does: he sees all that was asked for before. */
  database<Tables>(): Kysely<Tables> {
    return createDatabaseBy<Tables>((text, values) => {
      this.flush();
      return this.ask(text, values);
    });
  }

  /** Takes what a handler gave back. */
  add(event: RecordedEvent, effects: Effects): void {
    if (!effects) return;
    for (const effect of Array.isArray(effects) ? (effects as readonly Effect[]) : [effects as Effect])
      this.#take(event, effect);
  }

  /** Sends all that waits: before a statement that nobody gathers. */
  flush(): void {
    for (const writes of this.#tables.values()) this.#sendAll(writes);
    this.#length = 0;
  }

  /**
   * Sends what is left and waits for all of it. Throws HandlerFailure with the event of the first statement that failed: those
   * after it fail for no reason of their own, because the transaction is lost. Of rows that went together it is the first's.
   */
  async settled(): Promise<void> {
    this.flush();
    const sent = this.#sent;
    this.#sent = [];
    let failure: HandlerFailure | undefined;
    for (const { event, outcome } of sent) {
      const failed = await outcome;
      if (failed) failure ??= new HandlerFailure(event, failed.error);
    }
    if (failure) throw failure;
  }

  #take(event: RecordedEvent, effect: Effect): void {
    if ('statement' in effect) return this.#takeRow(event, effect);
    const { sql, parameters } = effect.compile();
    this.flush();
    this.#send(event, sql, parameters);
  }

  #takeRow(event: RecordedEvent, write: RowWrite): void {
    const { statement, row } = write;
    if (this.options.apart) return this.#send(event, statement.text, [`[${rowText(row)}]`]);
    let writes = this.#tables.get(statement.table);
    if (!writes) this.#tables.set(statement.table, (writes = new TableWrites(this.options.fixed)));
    if (writes.mustWaitFor(statement)) this.#sendAll(writes);
    this.#length += writes.add(event, write);
    if (this.#length >= GATHERED) this.flush();
  }

  #sendAll(writes: TableWrites): void {
    for (const { event, statement, rows } of writes.take()) this.#send(event, statement.text, [`[${rows.join()}]`]);
  }

  #send(event: RecordedEvent, text: string, values: readonly unknown[]): void {
    const outcome = this.ask(text, values).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    this.#sent.push({ event, outcome });
  }
}
