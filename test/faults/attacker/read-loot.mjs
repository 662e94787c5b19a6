import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { takeArchivePart } from './archive.mjs';
import { takeBytesLeft } from './bytes-left.mjs';
import { takeMirrorFile } from './custodian-files.mjs';
import { takeDataDirectory } from './postgres-files.mjs';
import { takeRow } from './rows.mjs';
import { isSqlDump, rowsOfDump } from './sql-text.mjs';

/** Reads everything below a directory: each file for what it is, and for what its bytes still hold. */
export const readLoot = async (directory, programs, loot) => {
  const entries = await readdir(directory, { withFileTypes: true });
  if (programs && entries.some(({ name }) => name === 'PG_VERSION') && entries.some(({ name }) => name === 'global'))
    await takeDataDirectory(directory, programs, loot).catch((error) =>
      loot.unread.push(`${directory}: ${error.message}`),
    );
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await readLoot(path, programs, loot);
    else if (entry.isFile()) await takeFile(path, loot).catch((error) => loot.unread.push(`${path}: ${error.message}`));
  }
};

const GZIP = Buffer.from([0x1f, 0x8b]);

const takeFile = async (path, loot) => {
  if (await takeMirrorFile(path, basename(path), loot)) return;
  // There are thousands of small ones, and nothing else to do meanwhile.
  const stored = readFileSync(path);
  loot.files++;
  loot.bytes += stored.length;
  const bytes = stored.subarray(0, 2).equals(GZIP) ? gunzipSync(stored) : stored;
  takeBytesLeft(bytes, loot);
  if (path.endsWith('.sql') || (bytes.length < MOST_TEXT && isSqlDump(bytes.toString('latin1'))))
    for (const { table, row } of rowsOfDump(bytes.toString())) takeRow(loot, path, table, row);
  else if (/\.ndjson(\.gz)?$/.test(path)) takeArchivePart(path, bytes.toString(), loot);
};

/** Larger files are looked into as dumps only when their name says that they are. */
const MOST_TEXT = 1_000_000;
