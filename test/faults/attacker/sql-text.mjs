const COPY = /^COPY (\S+) \(([^)]*)\) FROM stdin;$/;
const ESCAPED = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** A value of COPY's text form: `null`, bytes where it has their form, else text. */
export const copyValue = (field) => {
  if (field === '\\N') return null;
  const text = field.replace(/\\(.)/gs, (_, c) => ESCAPED[c] ?? c);
  return /^\\x([0-9a-f]{2})*$/.test(text) ? Buffer.from(text.slice(2), 'hex') : text;
};

/** The rows of one table in COPY's text form. */
export const copyRows = (text, columns) =>
  text
    .split('\n')
    .filter((line) => line !== '' && line !== '\\.')
    .map((line) => {
      const fields = line.split('\t').map(copyValue);
      return Object.fromEntries(columns.map((column, index) => [column, fields[index] ?? null]));
    });

/** Whether a text is a dump as pg_dump writes it. */
export const isSqlDump = (text) => /^COPY \S+ \([^)]*\) FROM stdin;$/m.test(text);

/** The tables of such a dump: yields { table, row }. */
export function* rowsOfDump(text) {
  let table;
  let columns;
  let lines = [];
  for (const line of text.split('\n')) {
    const begin = COPY.exec(line);
    if (begin) {
      table = begin[1].replace(/^.*\./, '').replaceAll('"', '');
      columns = begin[2].split(', ').map((column) => column.replaceAll('"', ''));
      lines = [];
    } else if (table && line === '\\.') {
      for (const row of copyRows(lines.join('\n'), columns)) yield { table, row };
      table = undefined;
    } else if (table) lines.push(line);
  }
}
