import { takeEvent, takeRow } from './rows.mjs';

/**
 * docs/formats/archive.md: a part of a set is lines of JSON. An event is an object; a row of a table is `[table, row]`, in
 * which bytes are text as PostgreSQL writes them.
 */
export const takeArchivePart = (path, text, loot) => {
  for (const line of text.split('\n').filter(Boolean)) {
    const item = JSON.parse(line);
    if (Array.isArray(item)) takeRow(loot, path, item[0], withBytes(item[1]));
    else if (item.stream) takeEvent(loot, item);
  }
};

const withBytes = (row) =>
  Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      typeof value === 'string' && /^\\x([0-9a-f]{2})*$/.test(value) ? Buffer.from(value.slice(2), 'hex') : value,
    ]),
  );
