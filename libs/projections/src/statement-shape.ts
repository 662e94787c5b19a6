/** An insert of values into named columns; on conflict, if it says so, an update that needs no values but those. */
export interface InsertShape {
  readonly kind: 'insert';
  readonly table: string;
  readonly columns: readonly string[];
  /** Those of the columns whose values are JSON texts. */
  readonly json: readonly boolean[];
  /** Columns that decide whether a row is there already; none: it must not be. */
  readonly key: readonly string[];
  /** Inserts any number of rows: one value, a JSON array of them. */
  readonly gathered: string;
}

/** An update of the rows in which one column has one value, and perhaps of fewer. */
export interface UpdateShape {
  readonly kind: 'update';
  readonly table: string;
  readonly column: string;
  /** Where among the parameters its value is. */
  readonly parameter: number;
  readonly sets: readonly string[];
}

export type StatementShape = InsertShape | UpdateShape | { readonly kind: 'other' };

const OTHER = { kind: 'other' } as const;
const ROWS = String.raw`\((?:\$\d+(?:::jsonb)?(?:, )?)+\)`;
const INSERT = new RegExp(
  String.raw`^insert into "(\w+)" \(([\w", ]+)\) values (${ROWS}(?:, ${ROWS})*)( on conflict \(([\w", ]+)\) do update set [^$]+)?$`,
);
const UPDATE = /^update "(\w+)" set (.+?) where "(\w+)" = \$(\d+)(?: and .+)?$/;
const quoted = (names: string): string[] => [...names.matchAll(/"(\w+)"/g)].map(([, name]) => name!);

/**
 * Reads a statement as Kysely writes them. Whatever may look at other rows than those that it names is `other`: who gathers
 * may move a statement past others only when it is certain that they have nothing to do with each other.
 */
const read = (text: string): StatementShape => {
  if (/\bselect\b/i.test(text)) return OTHER;
  const insert = INSERT.exec(text);
  if (insert) {
    const [, table, names, values, conflict = '', key = ''] = insert as unknown as [string, string, string, string];
    const columns = quoted(names);
    const json = values
      .slice(1, values.indexOf(')'))
      .split(', ')
      .map((value) => value.endsWith('::jsonb'));
    const rows = values.split('), (').length;
    // Each row alike, and every value a parameter: they can be told apart by their number.
    const alike = [...values.matchAll(/\$\d+(::jsonb)?/g)].every(
      ([, cast], n) => (cast !== undefined) === json[n % json.length],
    );
    if (columns.length !== json.length || !alike || values.split('$').length - 1 !== rows * columns.length)
      return OTHER;
    const gathered = `insert into "${table}" (${names}) select ${names} from json_populate_recordset(null::"${table}", $1)${conflict}`;
    return { kind: 'insert', table, columns, json, key: quoted(key), gathered };
  }
  const update = UPDATE.exec(text);
  if (!update || /\b(or|from|returning)\b/i.test(text)) return OTHER;
  const [, table, set, column, parameter] = update as unknown as [string, string, string, string, string];
  const sets = [...set.matchAll(/"(\w+)" = /g)].map(([, name]) => name!);
  return sets.includes(column) ? OTHER : { kind: 'update', table, column, parameter: Number(parameter) - 1, sets };
};

/** Programs have few texts; one with values of varying number may have any number of them. */
const KNOWN = 500;
const known = new Map<string, StatementShape>();

/** What a compiled statement does, as far as it matters to who gathers. */
export const shapeOf = (text: string): StatementShape => {
  let shape = known.get(text);
  if (!shape) {
    shape = read(text);
    if (known.size < KNOWN) known.set(text, shape);
  }
  return shape;
};

/** A row as it stands in the JSON array; undefined when a value doesn't mean the same there as it does to the driver. */
export const rowOf = ({ columns, json }: InsertShape, values: readonly unknown[]): string | undefined => {
  let row = '';
  for (const [n, name] of columns.entries()) {
    const value = json[n] ? jsonText(values[n]) : plainText(values[n]);
    if (value === undefined) return undefined;
    row += `${n === 0 ? '{' : ','}"${name}":${value}`;
  }
  return `${row}}`;
};

/** Of JSON's null the array would make a column without a value. */
const jsonText = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== 'null' ? value : undefined;

const plainText = (value: unknown): string | undefined => {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return JSON.stringify(value.toWellFormed()); // as the driver sends it
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : JSON.stringify(value);
  return typeof value === 'boolean' ? String(value) : undefined;
};
