import { takeEvent, takeRow } from './rows.mjs';

/** docs/formats/archive.md: a part is a line of JSON for each row or event. */
export const takeArchivePart = (path, text, loot) => {
  for (const line of text.split('\n').filter(Boolean)) {
    const item = JSON.parse(line);
    if (item.table) takeRow(loot, path, item.table, bytesOf(item.row));
    else if (item.stream) takeEvent(loot, item);
  }
};
const bytesOf = (row) => row;
