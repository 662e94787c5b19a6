import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { Row } from './bench.js';
import { Report } from './bench.js';
import { BENCHES } from './benches.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' }, against: { type: 'string' } },
});
const chosen = positionals.length === 0 ? BENCHES : BENCHES.filter(({ name }) => positionals.includes(name));
const known = chosen.length > 0 && chosen.length >= positionals.length;
if (!known) {
  console.error(`Benchmarks:\n${BENCHES.map(({ name, about }) => `  ${name.padEnd(12)} ${about}`).join('\n')}`);
  process.exitCode = 2;
}

const earlier =
  values.against === undefined ? [] : (JSON.parse(await readFile(values.against, 'utf8')) as readonly Row[]);
const number = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
const show = ({ bench, what, value, unit, against, ratio }: Row): void => {
  const before = earlier.find((row) => row.bench === bench && row.what === what);
  console.log(
    [
      what.padEnd(58),
      `${number(value)} ${unit}`.padStart(16),
      ratio === undefined ? '' : `  ${ratio.toFixed(2)} × ${against}`,
      before ? `  (earlier: ${number(before.value)}, now ${(value / before.value).toFixed(2)} ×)` : '',
    ].join(''),
  );
};

const rows: Row[] = [];
for (const bench of known ? chosen : []) {
  console.log(`\n${bench.name}: ${bench.about}`);
  const report = new Report(bench.name, show);
  await bench.run(report);
  rows.push(...report.rows);
}
if (values.json !== undefined) await writeFile(values.json, JSON.stringify(rows, undefined, 2) + '\n');
