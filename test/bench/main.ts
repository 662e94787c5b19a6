import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { Row } from './bench.js';
import { Report } from './bench.js';
import { BENCHES } from './benches.js';
import { Progress } from './progress.js';
import { tableLine } from './table.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...{ json: { type: 'string' }, against: { type: 'string' } },
    ...{ minutes: { type: 'string', default: '1' }, scale: { type: 'string', default: '1' } },
  },
});
const options = { minutes: Number(values.minutes), scale: Number(values.scale) };
const chosen = positionals.length === 0 ? BENCHES : BENCHES.filter(({ name }) => positionals.includes(name));
const known = chosen.length > 0 && chosen.length >= positionals.length && options.minutes > 0 && options.scale > 0;
if (!known) {
  console.error('npm run bench [name…] [-- --json FILE] [--against FILE] [--minutes N] [--scale N]\n');
  console.error(BENCHES.map(({ name, about }) => `  ${name.padEnd(12)} ${about}`).join('\n'));
  process.exitCode = 2;
}

const earlier =
  values.against === undefined ? [] : (JSON.parse(await readFile(values.against, 'utf8')) as readonly Row[]);
const progress = new Progress();
const show = (row: Row): void => {
  progress.clear();
  console.log(tableLine(row, earlier));
};

const rows: Row[] = [];
for (const bench of known ? chosen : []) {
  console.log(`\n${bench.name}: ${bench.about}`);
  const report = new Report(bench.name, show, (step, done) => progress.tell(step, done), options.scale);
  // Nobody watches a run of all: what one bench could not do is said, and the others still measure.
  await bench.run(report, options).catch((error: unknown) => {
    console.error(`${bench.name} failed:`, error);
    process.exitCode = 1;
  });
  rows.push(...report.rows);
  if (values.json !== undefined) await writeFile(values.json, JSON.stringify(rows, undefined, 2) + '\n');
}
