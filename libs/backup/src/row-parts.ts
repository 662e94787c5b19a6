import type { Part, PartKind } from './manifest.js';
import { damaged, parseJson } from './manifest.js';
import { linesOf, PartWriter } from './part-files.js';

/** Rows of one table as JSON texts. */
export interface TableRows {
  readonly table: string;
  readonly rows: readonly string[];
}

/**
 * Writes the rows of a database: a line `{"header":…}`, a line `["table",row]` for each row, and a line `{"end":{"rows":n}}`.
 * A row stands there as the text that the database gave, so that no number in it is read and written anew.
 */
export const writeRows = async (
  directory: string,
  kind: Exclude<PartKind, 'log'>,
  header: object,
  rows: AsyncIterable<TableRows>,
): Promise<{ readonly part: Part; readonly rows: number }> => {
  const part = new PartWriter(directory, `${kind}.ndjson.gz`, kind);
  let count = 0;
  try {
    await part.write([JSON.stringify({ header })]);
    for await (const { table, rows: some } of rows) {
      await part.write(some.map((row) => `["${table}",${row}]`));
      count += some.length;
    }
    await part.write([JSON.stringify({ end: { rows: count } })]);
    return { part: await part.end(), rows: count };
  } catch (error) {
    await part.abandon();
    throw error;
  }
};

/** The rows of a part behind its header. */
export interface RowsRead<Header> {
  readonly header: Header;
  /** To be read once, to its end: then it has thrown `backup-damaged` unless there were as many rows as the end says. */
  readonly rows: AsyncIterable<TableRows>;
}

/** Opens such a part. Throws `backup-damaged` when it does not begin with a header. */
export const readRows = async <Header>(directory: string, part: Part): Promise<RowsRead<Header>> => {
  const lines = linesOf(directory, part);
  const first = await lines.next();
  const [head, ...rest] = first.value ?? [];
  const header = head === undefined ? undefined : (parseJson(head, LINE) as { header?: Header }).header;
  if (header === undefined) throw damaged(`${part.file} has no header`);
  return { header, rows: tableRows(part, rest, lines) };
};

async function* tableRows(
  { file }: Part,
  first: readonly string[],
  rest: AsyncIterable<readonly string[]>,
): AsyncGenerator<TableRows, void> {
  let [count, end]: [number, number | undefined] = [0, undefined];
  for await (const lines of chained(first, rest)) {
    let run: { table: string; rows: string[] } | undefined;
    for (const line of lines) {
      const [, table, row] = ROW.exec(line) ?? [];
      if (end !== undefined) throw damaged(`${file} goes on behind its end`);
      if (table === undefined || row === undefined) {
        end = (parseJson(line, LINE) as { end?: { rows?: number } }).end?.rows ?? -1;
        continue;
      }
      count++;
      if (run?.table !== table) {
        if (run) yield run;
        run = { table, rows: [] };
      }
      run.rows.push(row);
    }
    if (run) yield run;
  }
  if (end !== count) throw damaged(`${file} has ${count} rows and not as many as its end says`);
}

const LINE = 'a line of it';
const ROW = /^\["([a-z_]+)",(\{.*\})\]$/s;

async function* chained<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T, void> {
  yield first;
  yield* rest;
}
