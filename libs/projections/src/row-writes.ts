import type { Merge } from './merges.js';

/** A statement for any number of rows: its only value is a JSON array of them. What it does is said, so that nobody has to read it. */
export interface RowStatement {
  readonly kind: 'insert' | 'update';
  readonly table: string;
  readonly text: string;
  /** An insert's: what decides whether a row is there already; none: it must not be. An update's: the column that it finds by. */
  readonly key: readonly string[];
  /** An upsert's: what two rows with one key are together, the second written after the first. */
  readonly merged?: (first: object, second: object) => object;
}

/** One row for a statement: what a handler gives back instead of a query that would be built, and sent, for this row alone. */
export interface RowWrite {
  readonly statement: RowStatement;
  readonly row: object;
}

const settings = (set: { readonly [column: string]: string }): string =>
  Object.entries(set)
    .map(([column, expression]) => `"${column}" = ${expression}`)
    .join(', ');
const insertOf = (table: string): string =>
  `insert into "${table}" select * from json_populate_recordset(null::"${table}", $1)`;

const assertApart = (table: string, key: readonly string[], sets: readonly string[]): void => {
  const both = sets.find((column) => key.includes(column));
  if (both !== undefined) throw new Error(`${table}: ${both} finds the row, and can't be changed by it`);
};

/** Inserts whole rows; a row that is there already is a fault. Values as JSON: no bigint, and no number that isn't finite. */
export const inserts = <T extends object>(table: string): ((row: T) => RowWrite) => {
  const statement: RowStatement = { kind: 'insert', table, text: insertOf(table), key: [] };
  return (row) => ({ statement, row });
};

/**
 * Inserts whole rows, or merges them into what is there under the same `key`; columns that `set` doesn't name stay as they
 * are there. Throws when it sets a column of the key.
 */
export const upserts = <T extends object>(
  table: string,
  {
    key,
    set,
  }: { readonly key: readonly (keyof T & string)[]; readonly set: { readonly [C in keyof T]?: Merge<T[C]> } },
): ((row: T) => RowWrite) => {
  const merges = Object.entries(set) as [keyof T & string, Merge<any>][];
  assertApart(table, key, Object.keys(set));
  const setting = merges.map(([column, { sql }]) => [column, sql(`"${table}"."${column}"`, `excluded."${column}"`)]);
  const found = key.map((column) => `"${column}"`).join(', ');
  const text = `${insertOf(table)} on conflict (${found}) do update set ${settings(Object.fromEntries(setting))}`;
  const merged = (first: object, second: object): object => {
    const row = { ...first } as T;
    for (const [column, { inMemory }] of merges) row[column] = inMemory(row[column], (second as T)[column]);
    return row;
  };
  const statement: RowStatement = { kind: 'insert', table, text, key, merged };
  return (row) => ({ statement, row });
};

/**
 * Changes the rows in which column `by` has the value given, and for which `where` holds. `given` names what a write brings
 * along, with its type; without `set` each of it becomes the column of its name. SQL names columns with their table and
 * values as `given.…`, and never holds a value of an event. Throws when it sets what it finds by.
 */
export const updates = <T extends object, G extends string>(
  table: string,
  {
    by,
    given,
    set,
    where,
  }: {
    readonly by: keyof T & G;
    readonly given: { readonly [C in G]: string };
    readonly set?: { readonly [C in keyof T & string]?: string };
    readonly where?: string;
  },
): ((row: { readonly [C in G]: unknown }) => RowWrite) => {
  const names = Object.keys(given).filter((name) => name !== by);
  const setting = set ?? Object.fromEntries(names.map((name) => [name, `given."${name}"`]));
  assertApart(table, [by], Object.keys(setting));
  const types = Object.entries(given).map(([name, type]) => `"${name}" ${String(type)}`);
  const condition = where === undefined ? '' : ` and (${where})`;
  // The rows are looked for one by one, in the index, whatever is thought of the size of the table: a join may be turned round.
  const found = `select "${table}".ctid as place from "${table}" where "${table}"."${by}" = given."${by}"${condition} offset 0`;
  const text =
    `update "${table}" set ${settings(setting as Record<string, string>)} ` +
    `from json_to_recordset($1) as given(${types.join(', ')}), lateral (${found}) as found ` +
    `where "${table}".ctid = found.place`;
  const statement: RowStatement = { kind: 'update', table, text, key: [by] };
  return (row) => ({ statement, row });
};

/** JSON.stringify says half a character of UTF-16 as an escape that PostgreSQL refuses. */
const HALF = /\\ud[89a-f]/;

/** A row as it stands in the JSON array; half a character becomes U+FFFD, as the driver would send it. Throws what JSON.stringify throws. */
export const rowText = (row: object): string => {
  const text = JSON.stringify(row);
  if (!HALF.test(text)) return text;
  return JSON.stringify(row, (_, value: unknown) => (typeof value === 'string' ? value.toWellFormed() : value));
};
