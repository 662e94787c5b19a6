import type { Manifest } from './manifest.js';
import { readRows } from './row-parts.js';

/** Keys that the vault of a set had destroyed, by category: its receipts name neither scope nor owner. */
export const destroyedByReceipts = async (
  directory: string,
  { parts }: Manifest,
): Promise<ReadonlyMap<string, number>> => {
  const counts = new Map<string, number>();
  const part = parts.find(({ kind }) => kind === 'vault');
  if (!part) return counts;
  const { rows } = await readRows(directory, part);
  for await (const { table, rows: some } of rows) {
    if (table !== 'receipt') continue;
    for (const row of some)
      for (const { category } of (JSON.parse(row) as { destroyed: readonly { category: string }[] }).destroyed)
        counts.set(category, (counts.get(category) ?? 0) + 1);
  }
  return counts;
};
