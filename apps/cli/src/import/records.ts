import { resolve } from 'node:path';
import { formatOf, rowsOf } from './csv-file.js';
import type { CsvRow } from './csv-file.js';
import type { Mapping } from './mapping.js';
import { MappingProblem, columnsOf, recordOf } from './mapping.js';

/** One record to send, or a problem that was found before sending. */
export type ImportRow =
  | {
      readonly line: number;
      readonly key: string;
      readonly customerKey?: string;
      readonly record: Record<string, unknown>;
    }
  | { readonly line: number; readonly problem: string };

/**
 * Reads FILE by its mapping, with the rows of the merged file (sorted alike) joined in; streams, whatever the size.
 * Throws when a column that the mapping names is not in the heading.
 */
export async function* recordsOf(file: string, mapping: Mapping, mergeDirectory: string): AsyncGenerator<ImportRow> {
  const format = await formatOf(file);
  const merged = mapping.merge
    ? await MergedRows.open(resolve(mergeDirectory, mapping.merge.file), mapping.merge)
    : undefined;
  let checked = false;
  for await (const row of rowsOf(file, format)) {
    if (!checked)
      checkHeading(file, row, [
        mapping.key,
        ...(mapping.customerKey ? [mapping.customerKey] : []),
        ...columnsOf(mapping.fields),
      ]);
    checked = true;
    yield await importRow(row, mapping, merged);
  }
}

const importRow = async (row: CsvRow, mapping: Mapping, merged: MergedRows | undefined): Promise<ImportRow> => {
  const { line, columns } = row;
  const key = columns[mapping.key]?.trim() ?? '';
  try {
    // The merged rows are taken in any case, or the next record would meet them.
    const list = await merged?.take(columns[mapping.merge!.on]?.trim() ?? '');
    if (key === '') return { line, problem: `${mapping.key}: the source's own key is empty` };
    const record = recordOf(mapping.fields, columns);
    if (list && mapping.merge) record[mapping.merge.as] = list.map((entry) => recordOf(mapping.merge!.fields, entry));
    const customerKey = mapping.customerKey === undefined ? undefined : (columns[mapping.customerKey]?.trim() ?? '');
    return { line, key, record, ...(customerKey === undefined ? {} : { customerKey }) };
  } catch (error) {
    if (error instanceof MappingProblem) return { line, problem: error.message };
    throw error;
  }
};

/** A second file read side by side: both have the join column in the same order. */
class MergedRows {
  #next: Readonly<Record<string, string>> | undefined;
  private constructor(
    private readonly rows: AsyncGenerator<CsvRow>,
    private readonly on: string,
  ) {}

  static async open(file: string, merge: NonNullable<Mapping['merge']>): Promise<MergedRows> {
    const merged = new MergedRows(rowsOf(file, await formatOf(file)), merge.on);
    const first = await merged.rows.next();
    if (!first.done) {
      checkHeading(file, first.value, [merge.on, ...columnsOf(merge.fields)]);
      merged.#next = first.value.columns;
    }
    return merged;
  }

  async take(key: string): Promise<readonly Readonly<Record<string, string>>[]> {
    const taken: Readonly<Record<string, string>>[] = [];
    while (this.#next && this.#next[this.on]?.trim() === key) {
      taken.push(this.#next);
      const next = await this.rows.next();
      this.#next = next.done ? undefined : next.value.columns;
    }
    return taken;
  }
}

const checkHeading = (file: string, row: CsvRow, wanted: readonly string[]): void => {
  const missing = [...new Set(wanted)].filter((column) => !(column in row.columns));
  if (missing.length > 0) throw new Error(`${file} lacks the columns ${missing.join(', ')} that the mapping names`);
};
