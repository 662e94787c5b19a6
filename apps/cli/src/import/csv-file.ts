import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { parse } from 'csv-parse';
import iconv from 'iconv-lite';

export interface CsvFormat {
  readonly encoding: 'utf8' | 'latin1';
  readonly delimiter: ',' | ';';
}

/** One line of the file by column name. `line` counts from 1 and is where the record begins. */
export interface CsvRow {
  readonly line: number;
  readonly columns: Readonly<Record<string, string>>;
}

/** Finds out encoding (all of the file is valid UTF-8, or it is Latin-1) and delimiter (what the heading has more of). Reads the file once. */
export const formatOf = async (file: string): Promise<CsvFormat> => {
  const handle = await open(file);
  const head = Buffer.alloc(64 * 1024);
  const { bytesRead } = await handle.read(head, 0, head.length, 0).finally(() => handle.close());
  const heading = head
    .subarray(0, bytesRead)
    .toString('latin1')
    .split('\n', 1)[0]!
    .replace(/"[^"]*"/g, '');
  const delimiter = heading.split(';').length > heading.split(',').length ? ';' : ',';
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of createReadStream(file)) decoder.decode(chunk as Buffer, { stream: true });
    decoder.decode();
    return { encoding: 'utf8', delimiter };
  } catch {
    return { encoding: 'latin1', delimiter };
  }
};

/** Streams the rows of a CSV file of any size. Throws on a row with more or fewer columns than the heading, naming the line only. */
export async function* rowsOf(file: string, format: CsvFormat): AsyncGenerator<CsvRow> {
  const source = createReadStream(file).pipe(iconv.decodeStream(format.encoding));
  const parser = source.pipe(
    parse({ columns: true, bom: true, delimiter: format.delimiter, info: true, skip_empty_lines: true }),
  );
  let previousEnd = 1;
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: Record<string, string>;
      info: { lines: number };
    }>) {
      yield { line: previousEnd + 1, columns: record };
      previousEnd = info.lines;
    }
  } catch (error) {
    const { code, lines } = error as { code?: string; lines?: number };
    if (!code?.startsWith('CSV_')) throw error;
    // The parser's own message quotes the row, and a row holds personal values.
    throw new Error(`the file is not readable as CSV near line ${lines ?? previousEnd} (${code})`);
  }
}
