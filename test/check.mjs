// `npm run check`: everything that CI runs, the quick things first. Stops at the first that fails, and ends by saying how
// many tests there were, summed over all of Jest's runs.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';

const STEPS = ['format', 'lint', 'types', 'unused', 'build', 'test:spec', 'generated', 'test:int', 'test:journeys'];
const GENERATED = ['docs/errors.md', 'docs/openapi.json'];

const counts = { passed: 0, failed: 0, skipped: 0 };

/** Runs an npm script, shows what it prints, and adds what Jest counted. Resolves to whether it succeeded. */
const run = (script) =>
  new Promise((resolve) => {
    const child = spawn('npm', ['run', '-s', script], { stdio: ['ignore', 'inherit', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk) => {
      process.stderr.write(chunk);
      said += chunk;
    });
    child.on('close', (code) => {
      for (const [, line] of said.matchAll(/^Tests:\s+(.*)$/gm))
        for (const [, number, kind] of line.matchAll(/(\d+) (passed|failed|skipped)/g)) counts[kind] += Number(number);
      resolve(code === 0);
    });
  });

const contents = () => Promise.all(GENERATED.map((file) => readFile(file, 'utf8').catch(() => '')));

/** Generated files are committed: generating them again must change nothing. */
const generatedUnchanged = async () => {
  const before = await contents();
  if (!(await run('generate'))) return false;
  const after = await contents();
  const changed = GENERATED.filter((_, index) => before[index] !== after[index]);
  for (const file of changed) console.error(`${file} was out of date: commit what \`npm run generate\` makes.`);
  return changed.length === 0;
};

let failed;
for (const step of STEPS) {
  const begun = performance.now();
  const succeeded = step === 'generated' ? await generatedUnchanged() : await run(step);
  console.log(`${succeeded ? 'ok' : 'FAILED'}  ${step}  ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  if (succeeded) continue;
  failed = step;
  break;
}
if (failed) console.log(`\nStopped at: npm run ${failed === 'generated' ? 'generate' : failed}`);
const forbidden = process.env.MAKULER_FORBID_SKIPS && counts.skipped > 0;
if (forbidden) console.log(`${counts.skipped} tests were skipped, and here none may be.`);
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exit(failed || forbidden ? 1 : 0);
