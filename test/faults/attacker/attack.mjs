import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { confirm } from './guesses.mjs';
import { joins } from './joins.mjs';
import { Loot } from './loot.mjs';
import { readLoot } from './read-loot.mjs';
import { unlock } from './unlock.mjs';

// node attack.mjs LOOT… [--postgres DIRECTORY OF PROGRAMS] [--guesses JSON FILE]
//
// Somebody who stole copies, has read docs/formats, and has none of our programs. Prints as JSON what it read, which blocks
// it opened, what joins events of different streams, and which guesses the copies confirm.
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { postgres: { type: 'string' }, guesses: { type: 'string' } },
});
const loot = new Loot();
for (const directory of positionals) await readLoot(directory, values.postgres, loot);
const broken = unlock(loot);
const guesses = values.guesses ? JSON.parse(await readFile(values.guesses, 'utf8')) : [];
const { roots, epochKeys, buckets, dataKeys } = broken.keys;
const report = {
  read: {
    ...{ files: loot.files, bytes: loot.bytes, rows: loot.rows.length, events: loot.events.length },
    ...{ blocks: loot.blocks.length, epochWraps: loot.epochWraps.length, bucketWraps: loot.bucketWraps.length },
    ...{ records: loot.records.length, custodians: loot.custodians.length, unread: loot.unread },
  },
  keys: { roots: roots.length, epochKeys: epochKeys.length, buckets: buckets.length, dataKeys: dataKeys.length },
  opened: broken.opened.map(({ block: { eventId, stream, scopeId, category }, text }) => ({
    ...{ eventId, stream, scopeId, category, text },
  })),
  joins: joins(loot, broken),
  confirmed: confirm(guesses, loot, broken.keys),
};
process.stdout.write(JSON.stringify(report));
