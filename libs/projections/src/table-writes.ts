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

/** Where a row was written last under its key, as long as another with this key can still be merged into it. */
interface Held {
  readonly round: number;
  readonly group: Group;
  readonly at: number;
  row: object;
}

/** The rounds in which updates by one column may stand: from the first that is after all that could not be told, to the last used. */
interface Use {
  from: number;
  until: number;
}

/** Two texts of one id differ in case at most. */
const valueIn = (row: object, column: string): string => String((row as Record<string, unknown>)[column]).toLowerCase();
const addressOf = (column: string, row: object): string => `${column}=${valueIn(row, column)}`;

/** Whether both are of one row for the database too: texts that differ in case are none, and come one after the other. */
const isOne = (key: readonly string[], one: object, other: object): boolean =>
  key.every((column) => (one as Record<string, unknown>)[column] === (other as Record<string, unknown>)[column]);

/** The round after the last at this address. */
const after = (rounds: ReadonlyMap<string, number>, address: string): number => (rounds.get(address) ?? -1) + 1;

/**
 * The rows of a batch that wait for one table, in rounds that are sent one after the other. A row is merged into the one with
 * its key, or goes into the round after that of the last write that may mean the same row; those of one round come out the
 * same in any order. Updates by different columns keep their order: one may change what the other finds rows by.
 */
export class TableWrites {
  #rounds: Map<RowStatement, Group>[] = [];
  /** Inserts by their key. */
  #held = new Map<string, Held>();
  /** By columns that updates find rows by: the last round of an insert, and of an update, with this value. */
  #inserted = new Map<string, number>();
  #updated = new Map<string, number>();
  #uses = new Map<string, Use>();
  #key: string | undefined;

  /** `fixed`: columns that every write of one row gives the same value. */
  constructor(private readonly fixed: readonly string[]) {}

  /** Whether it can't be told what this one has to do with those that wait, which are found by another key: they must be sent before. */
  mustWaitFor({ kind, key }: RowStatement): boolean {
    return kind === 'insert' && this.#key !== undefined && this.#key !== key.join();
  }

  /** Gives the length of the text that it takes. */
  add(event: RecordedEvent, write: RowWrite): number {
    return write.statement.kind === 'insert' ? this.#insert(event, write) : this.#update(event, write);
  }

  /** Everything that waits, in the order in which it is to be sent; nothing waits any more. */
  take(): readonly Group[] {
    const groups = this.#rounds.flatMap((round) => [...round.values()]);
    this.#rounds = [];
    for (const map of [this.#held, this.#inserted, this.#updated, this.#uses]) map.clear();
    this.#key = undefined;
    return groups;
  }

  #insert(event: RecordedEvent, { statement, row }: RowWrite): number {
    const { key, merged } = statement;
    this.#key = key.join();
    const { addresses, uncertain, earliest } = this.#limits(statement, row);
    const id = JSON.stringify(key.map((column) => valueIn(row, column)));
    const held = key.length === 0 ? undefined : this.#held.get(id);
    if (held && merged && held.group.statement === statement && held.round >= earliest && isOne(key, held.row, row)) {
      held.row = merged(held.row, row);
      return (held.group.rows[held.at] = rowText(held.row)).length;
    }
    const round = Math.max(earliest, held ? held.round + 1 : 0);
    for (const address of addresses) this.#inserted.set(address, Math.max(round, this.#inserted.get(address) ?? 0));
    for (const use of uncertain) use.from = Math.max(use.from, round + 1);
    const group = this.#groupOf(round, statement, event);
    const text = rowText(row);
    if (key.length > 0) this.#held.set(id, { round, group, at: group.rows.length, row });
    group.rows.push(text);
    return text.length;
  }

  /** What an insert has to do with the updates that wait, and the first round that is after all that may mean its row. */
  #limits({ key }: RowStatement, row: object) {
    const addresses: string[] = [];
    const uncertain: Use[] = [];
    let earliest = 0;
    for (const [column, use] of this.#uses)
      // Of a row that may be there already, only this much is certain: what it is found by, and what is fixed.
      if (key.length === 0 || key.includes(column) || this.fixed.includes(column)) {
        const address = addressOf(column, row);
        addresses.push(address);
        earliest = Math.max(earliest, after(this.#updated, address));
      } else {
        uncertain.push(use);
        earliest = Math.max(earliest, use.until);
      }
    return { addresses, uncertain, earliest };
  }

  #update(event: RecordedEvent, { statement, row }: RowWrite): number {
    const column = statement.key[0]!;
    let use = this.#uses.get(column);
    // What waits was not noted by this column.
    if (!use) this.#uses.set(column, (use = { from: this.#rounds.length, until: 0 }));
    const address = addressOf(column, row);
    let round = Math.max(use.from, after(this.#updated, address), after(this.#inserted, address));
    for (const other of this.#uses.values()) if (other !== use) round = Math.max(round, other.until);
    use.until = Math.max(use.until, round + 1);
    this.#updated.set(address, round);
    const text = rowText(row);
    this.#groupOf(round, statement, event).rows.push(text);
    return text.length;
  }

  #groupOf(round: number, statement: RowStatement, event: RecordedEvent): Group {
    const groups = (this.#rounds[round] ??= new Map<RowStatement, Group>());
    let group = groups.get(statement);
    if (!group) groups.set(statement, (group = { statement, event, rows: [] }));
    return group;
  }
}
