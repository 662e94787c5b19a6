/** A statement for any number of rows: its only value is a JSON array of them. What it does is said, so that nobody has to read it. */
export interface RowStatement {
  readonly kind: 'insert' | 'update';
  readonly table: string;
  readonly text: string;
  /** An insert's: what decides whether a row is there already; none: it must not be. An update's: the column that it finds by. */
  readonly key: readonly string[];
  /** Columns that it changes of a row that is there. */
  readonly sets: readonly string[];
  /** Adds rows with one key up by itself; any other must not get a row twice. */
  readonly sums: boolean;
}

/** One row for a statement: what a handler gives back instead of a query that would be built, and sent, for this row alone. */
export interface RowWrite {
  readonly statement: RowStatement;
  readonly row: object;
}

/**
 * Column → SQL. It names columns with their table; the values of the row are `excluded.…` in an upsert and `given.…` in an
 * update. Never a value of an event: those stand in the row.
 */
type Setting<T> = { readonly [C in keyof T & string]?: string };

const quoted = (names: readonly string[], of = ''): string => names.map((name) => `${of}"${name}"`).join(', ');
const settings = (set: object): string =>
  Object.entries(set)
    .map(([column, expression]) => `"${column}" = ${expression}`)
    .join(', ');
const rowsOf = (table: string): string => `json_populate_recordset(null::"${table}", $1)`;

const insertStatement = (table: string, conflict = '', key: readonly string[] = [], set: object = {}): RowStatement => {
  const text = `insert into "${table}" select * from ${rowsOf(table)}${conflict}`;
  return { kind: 'insert', table, text, key, sets: Object.keys(set), sums: false };
};

const assertApart = ({ table, key, sets }: RowStatement): void => {
  const both = sets.find((column) => key.includes(column));
  if (both !== undefined) throw new Error(`${table}: ${both} finds the row, and can't be changed in the same breath`);
};

/** Inserts whole rows; a row that is there already is a fault. Values as JSON: no bigint, and no number that isn't finite. */
export const inserts = <T extends object>(table: string): ((row: T) => RowWrite) => {
  const statement = insertStatement(table);
  return (row) => ({ statement, row });
};

/** Inserts whole rows, or changes by `set` what is there under the same `key`. Throws when it sets a column of the key. */
export const upserts = <T extends object>(
  table: string,
  { key, set }: { readonly key: readonly (keyof T & string)[]; readonly set: Setting<T> },
): ((row: T) => RowWrite) => {
  const conflict = ` on conflict (${quoted(key)}) do update set ${settings(set)}`;
  const statement = insertStatement(table, conflict, key, set);
  assertApart(statement);
  return (row) => ({ statement, row });
};

/** Adds to a number that is kept for each `key`, in a table that has no other columns. */
export const counts = <T extends object>(
  table: string,
  { key, count }: { readonly key: readonly (keyof T & string)[]; readonly count: keyof T & string },
): ((row: T) => RowWrite) => {
  const columns = quoted(key);
  const text =
    `insert into "${table}" (${columns}, "${count}") select ${columns}, sum("${count}") from ${rowsOf(table)} ` +
    `group by ${columns} on conflict (${columns}) do update set "${count}" = "${table}"."${count}" + excluded."${count}"`;
  const statement: RowStatement = { kind: 'insert', table, text, key, sets: [count], sums: true };
  return (row) => ({ statement, row });
};

/**
 * Changes the rows in which column `by` has the value given, and for which `where` holds. `given` names what a write brings
 * along, with its type; without `set` each of it becomes the column of its name. Throws when it sets what it finds by.
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
    readonly set?: Setting<T>;
    readonly where?: string;
  },
): ((row: { readonly [C in G]: unknown }) => RowWrite) => {
  const names = Object.keys(given).filter((name) => name !== by);
  const setting = set ?? Object.fromEntries(names.map((name) => [name, `given."${name}"`]));
  const types = Object.entries(given).map(([name, type]) => `"${name}" ${String(type)}`);
  const text =
    `update "${table}" set ${settings(setting)} from json_to_recordset($1) as given(${types.join(', ')}) ` +
    `where "${table}"."${by}" = given."${by}"${where === undefined ? '' : ` and (${where})`}`;
  const statement: RowStatement = { kind: 'update', table, text, key: [by], sets: Object.keys(setting), sums: false };
  assertApart(statement);
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
