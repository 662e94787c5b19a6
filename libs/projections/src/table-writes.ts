import type { RecordedEvent } from '#ledger';
import type { RowStatement, RowWrite } from './row-writes.js';
import { rowText } from './row-writes.js';

/** Rows that go together in one statement, none of which has anything to do with another. */
export interface Group {
  readonly statement: RowStatement;
  /** The event of the first. */
  readonly event: RecordedEvent;
  readonly rows: string[];
}

/** The round in which a row was written last, and by which statement. */
interface Written {
  readonly round: number;
  readonly statement: RowStatement;
}

/** The rounds in which updates by one column may stand: from the first that is after all that could not be told, to the last used. */
interface Use {
  from: number;
  until: number;
}

/** Two texts of one id differ in case at most. */
const same = (value: unknown): string => String(value).toLowerCase();
const addressOf = (columns: readonly string[], row: object): string =>
  columns.map((column) => `${column}=${same((row as Record<string, unknown>)[column])}`).join(' ');

/**
 * The rows of a batch that wait for one table, in rounds that are sent one after the other. A row goes into the round after
 * that of the last write that may mean the same row; those of one round come out the same in any order.
 */
export class TableWrites {
  #rounds: Map<RowStatement, Group>[] = [];
  /** By what rows are found: the key of an insert, the column of an update. */
  #written = new Map<string, Written>();
  #uses = new Map<string, Use>();
  #key: string | undefined;
  #sets = new Set<string>();

  /** `fixed`: columns that every write of one row gives the same value. */
  constructor(private readonly fixed: readonly string[]) {}

  /** Whether it can't be told what this one has to do with those that wait: they must be sent before. */
  mustWaitFor({ kind, key, sets }: RowStatement): boolean {
    if (this.#rounds.length === 0) return false;
    if (kind === 'insert' && this.#key !== undefined && this.#key !== key.join()) return true;
    if (key.some((column) => this.#sets.has(column))) return true;
    const finding = [...this.#uses.keys(), ...(this.#key?.split(',') ?? [])];
    return sets.some((column) => finding.includes(column));
  }

  /** Gives the length of what it took. */
  add(event: RecordedEvent, { statement, row }: RowWrite): number {
    const round = statement.kind === 'insert' ? this.#insertAt(statement, row) : this.#updateAt(statement, row);
    for (const column of statement.sets) this.#sets.add(column);
    const groups = (this.#rounds[round] ??= new Map<RowStatement, Group>());
    const text = rowText(row);
    const group = groups.get(statement);
    if (group) group.rows.push(text);
    else groups.set(statement, { statement, event, rows: [text] });
    return text.length;
  }

  /** Everything that waits, in the order in which it is to be sent; nothing waits any more. */
  take(): readonly Group[] {
    const groups = this.#rounds.flatMap((round) => [...round.values()]);
    this.#rounds = [];
    this.#written = new Map();
    this.#uses = new Map();
    this.#key = undefined;
    this.#sets = new Set();
    return groups;
  }

  #insertAt(statement: RowStatement, row: object): number {
    const { key } = statement;
    this.#key = key.join();
    const addresses = key.length === 0 ? [] : [addressOf(key, row)];
    const uncertain: Use[] = [];
    for (const [column, use] of this.#uses)
      // Of a row that may be there already, only this much is certain: what it is found by, and what is fixed.
      if (key.length === 0 || key.includes(column) || this.fixed.includes(column))
        addresses.push(addressOf([column], row));
      else uncertain.push(use);
    const round = Math.max(0, ...uncertain.map(({ until }) => until), ...this.#after(addresses, statement));
    for (const use of uncertain) use.from = Math.max(use.from, round + 1);
    this.#note(addresses, { round, statement });
    return round;
  }

  #updateAt(statement: RowStatement, row: object): number {
    const column = statement.key[0]!;
    let use = this.#uses.get(column);
    // What waits was not noted by this column.
    if (!use) this.#uses.set(column, (use = { from: this.#rounds.length, until: 0 }));
    const others = [...this.#uses.values()].filter((other) => other !== use);
    const addresses = [addressOf([column], row)];
    const round = Math.max(use.from, ...others.map(({ until }) => until), ...this.#after(addresses, statement));
    use.until = Math.max(use.until, round + 1);
    this.#note(addresses, { round, statement });
    return round;
  }

  #after(addresses: readonly string[], statement: RowStatement): readonly number[] {
    return addresses.map((address) => {
      const last = this.#written.get(address);
      if (!last) return 0;
      return statement.sums && last.statement === statement ? last.round : last.round + 1;
    });
  }

  #note(addresses: readonly string[], written: Written): void {
    for (const address of addresses) this.#written.set(address, written);
  }
}
