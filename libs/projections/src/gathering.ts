import type { RecordedEvent } from '#ledger';
import type { Ask } from '#postgres';
import { HandlerFailure } from './failures.js';
import type { Compiled, Effects } from './projection.js';
import type { InsertShape, UpdateShape } from './statement-shape.js';
import { rowOf, shapeOf } from './statement-shape.js';

/** Rows of one shape for one statement, none of them there twice. */
interface Group {
  readonly shape: InsertShape;
  readonly event: RecordedEvent;
  readonly rows: string[];
}

/** What is not sent yet for one table: the groups of each round one after the other, then the updates. */
interface Waiting {
  readonly rounds: Map<string, Group>[];
  /** The columns that make a row of those waiting the same as another, and the round in which it was written last. */
  key: readonly string[] | undefined;
  readonly seen: Map<string, number>;
  readonly updates: { readonly event: RecordedEvent; readonly compiled: Compiled }[];
  /** Column and value of the rows that the updates change; and what they set. */
  readonly changes: Map<string, Set<string>>;
  readonly sets: Set<string>;
}

const nothingWaiting = (): Waiting => ({
  ...{ rounds: [], key: undefined, seen: new Map(), updates: [], changes: new Map(), sets: new Set() },
});

/** Two texts of one id differ in case at most. */
const same = (value: unknown): string => String(value).toLowerCase();

/**
 * The statements of a batch. Inserts into one table go together in one statement, though others stand between them: rows
 * that have nothing to do with each other come out the same in any order. What touches the same row keeps its order; what
 * can't be told goes after all that was asked for before it. All is sent without waiting for answers.
 */
export class Gathering {
  readonly #waiting = new Map<string, Waiting>();
  #sent: { readonly event: RecordedEvent; readonly outcome: Promise<{ readonly error: unknown } | undefined> }[] = [];

  /** `fixed`: columns that every write of one row gives the same value. `apart`: send each statement by itself. */
  constructor(
    private readonly ask: Ask,
    private readonly options: { readonly fixed: readonly string[]; readonly apart: boolean },
  ) {}

  /** Takes what a handler gave back. */
  add(event: RecordedEvent, effects: Effects): void {
    if (!effects) return;
    for (const query of Array.isArray(effects) ? effects : [effects]) this.#take(event, query.compile());
  }

  /** Sends all that waits: before a statement that nobody gathers. */
  flush(): void {
    for (const table of this.#waiting.keys()) this.#flush(table);
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

  #take(event: RecordedEvent, compiled: Compiled): void {
    const shape = this.options.apart ? undefined : shapeOf(compiled.sql);
    if (shape?.kind === 'insert' && this.#insert(event, shape, compiled)) return;
    if (shape?.kind === 'update') return this.#update(event, shape, compiled);
    this.flush();
    this.#send(event, compiled.sql, compiled.parameters);
  }

  #insert(event: RecordedEvent, shape: InsertShape, { sql, parameters }: Compiled): boolean {
    const width = shape.columns.length;
    const rows: (readonly unknown[])[] = [];
    for (let from = 0; from < parameters.length; from += width) rows.push(parameters.slice(from, from + width));
    const texts = rows.map((row) => rowOf(shape, row));
    if (texts.includes(undefined)) return false;
    rows.forEach((row, n) => {
      if (!this.#mayGoBefore(shape, row)) this.#flush(shape.table);
      const waiting = this.#of(shape.table);
      waiting.key = shape.key;
      const round = (waiting.rounds[this.#roundOf(waiting, shape, row)] ??= new Map<string, Group>());
      const group = round.get(sql);
      if (group) group.rows.push(texts[n]!);
      else round.set(sql, { shape, event, rows: [texts[n]!] });
    });
    return true;
  }

  /** Whether no update that waits can mean this row, and it is known which rows that wait are the same. */
  #mayGoBefore({ table, columns, key }: InsertShape, row: readonly unknown[]): boolean {
    const { changes, sets, ...waiting } = this.#of(table);
    if (waiting.key && waiting.key.join() !== key.join()) return false;
    if (key.some((column) => sets.has(column))) return false;
    return [...changes].every(([column, values]) => {
      // Of a row that may be there already, only this much is certain: what it is found by, and what is fixed.
      const certain = key.length === 0 || key.includes(column) || this.options.fixed.includes(column);
      const at = columns.indexOf(column);
      return certain && at !== -1 && !values.has(same(row[at]));
    });
  }

  /** The round after the one in which the row was written last: one statement can't write a row twice. */
  #roundOf({ seen }: Waiting, { columns, key }: InsertShape, row: readonly unknown[]): number {
    if (key.length === 0) return 0;
    const id = key.map((column) => same(row[columns.indexOf(column)])).join(' ');
    const round = (seen.get(id) ?? -1) + 1;
    seen.set(id, round);
    return round;
  }

  #update(event: RecordedEvent, { table, column, parameter, sets }: UpdateShape, compiled: Compiled): void {
    const waiting = this.#of(table);
    waiting.updates.push({ event, compiled });
    const values = waiting.changes.get(column) ?? new Set();
    waiting.changes.set(column, values.add(same(compiled.parameters[parameter])));
    for (const set of sets) waiting.sets.add(set);
  }

  #of(table: string): Waiting {
    let waiting = this.#waiting.get(table);
    if (!waiting) this.#waiting.set(table, (waiting = nothingWaiting()));
    return waiting;
  }

  #flush(table: string): void {
    const { rounds, updates } = this.#of(table);
    this.#waiting.set(table, nothingWaiting());
    for (const round of rounds)
      for (const { event, shape, rows } of round.values()) this.#send(event, shape.gathered, [`[${rows.join()}]`]);
    for (const { event, compiled } of updates) this.#send(event, compiled.sql, compiled.parameters);
  }

  #send(event: RecordedEvent, text: string, values: readonly unknown[]): void {
    const outcome = this.ask(text, values).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    this.#sent.push({ event, outcome });
  }
}
