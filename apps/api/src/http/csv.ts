type Row = Readonly<Record<string, unknown>>;

/**
 * The items of a list as CSV (RFC 4180), columns in the order in which they first occur, nested members as `a.b`; what is
 * gone stands as `#erased`, `#withheld` or `#lost`, so that no reader takes it for empty. `columns` fixes the header, for
 * a list that may be empty.
 */
export const toCsv = (items: readonly unknown[], columns: readonly string[] = []): string => {
  const rows = items.map((item) => flatten(item));
  const header = [...new Set([...columns, ...rows.flatMap((row) => Object.keys(row))])];
  return [header, ...rows.map((row) => header.map((name) => row[name]))]
    .map((cells) => `${cells.map(cellOf).join(',')}\r\n`)
    .join('');
};

const flatten = (value: unknown, prefix = ''): Row => {
  if (typeof value !== 'object' || value === null) return { [prefix]: value };
  if ('$state' in value) return { [prefix]: `#${String(value.$state)}` };
  if (Array.isArray(value)) return { [prefix]: JSON.stringify(value) };
  return Object.assign(
    {},
    ...Object.entries(value).map(([name, inner]) => flatten(inner, prefix === '' ? name : `${prefix}.${name}`)),
  ) as Row;
};

/** A cell that a spreadsheet would run as a formula is quoted by an apostrophe (OWASP, CSV injection); `+47…` and `-5` are numbers and stay. */
const FORMULA = /^(?:[=@\t\r]|[+-](?![\d\s]*[.,]?\d*$))/;

const cellOf = (value: unknown): string => {
  if (value === null || value === undefined) return '';
  const plain = typeof value === 'string' ? value : JSON.stringify(value);
  const text = typeof value === 'string' && FORMULA.test(plain) ? `'${plain}` : plain;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
