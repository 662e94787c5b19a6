// `npm run check`: everything that CI runs, the quick things first. Stops at the first that fails, and ends by saying how
// many tests there were, summed over all of Jest's runs.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const STEPS = ['format', 'lint', 'types', 'unused', 'build', 'test:spec', 'generated', 'test:int', 'test:journeys'];
const GENERATED = ['docs/errors.md', 'docs/openapi.json', 'libs/client/src/generated/api.ts'];

/**
 * Suites of real processes meet a machine that stands still for seconds. A file that failed there is run again alone, up to
 * so many times, and passes only if it passes twice in a row; it is named at the end with what failed, because an unsteady
 * test is a defect. More files than this are no accident.
 */
const MAY_BE_UNSTEADY = ['test:int', 'test:journeys'];
const MOST_UNSTEADY_FILES = 3;
const MOST_RUNS_ALONE = 4;

const counts = { passed: 0, failed: 0, skipped: 0 };
/** What failed, whether or not it passed later: file, test, and the first line of why. */
const failures = [];
const results = join(await mkdtemp(join(tmpdir(), 'makuler-check-')), 'jest.json');

/** Runs an npm script and shows what it prints. Resolves to whether it succeeded. */
const run = (script, ...args) =>
  new Promise((resolve) => {
    const child = spawn('npm', ['run', '-s', script, ...(args.length > 0 ? ['--', ...args] : [])], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.on('close', (code) => resolve(code === 0));
  });

/** Runs a script of Jest's. Resolves to whether it succeeded, what it counted, and the files that failed. */
const runJest = async (script, ...args) => {
  await rm(results, { force: true });
  const succeeded = await run(script, '--json', `--outputFile=${results}`, ...args);
  const said = JSON.parse(await readFile(results, 'utf8').catch(() => 'null'));
  return {
    succeeded,
    passed: said?.numPassedTests ?? 0,
    failed: said?.numFailedTests ?? 0,
    skipped: (said?.numPendingTests ?? 0) + (said?.numTodoTests ?? 0),
    files: (said?.testResults ?? []).filter(({ status }) => status === 'failed').map(({ name }) => relative('.', name)),
    failures: (said?.testResults ?? []).flatMap(failuresOf),
  };
};

const failuresOf = ({ name, status, message, assertionResults }) => {
  const failed = assertionResults.filter((test) => test.status === 'failed');
  const lines = failed.map(({ fullName, failureMessages }) => `${fullName}: ${firstLine(failureMessages[0])}`);
  if (status === 'failed' && failed.length === 0) lines.push(firstLine(message));
  return lines.map((line) => `${relative('.', name)}: ${line}`);
};

const firstLine = (text = '') => stripVTControlCharacters(text).trim().split('\n', 1)[0];

/** Failed, until its file passes twice in a row. */
const noteFailures = (run) => failures.push(...run.failures.map((what) => ({ verdict: 'FAILED', what })));

const add = ({ passed, failed, skipped }) => {
  counts.passed += passed;
  counts.failed += failed;
  counts.skipped += skipped;
};

const test = async (script) => {
  const first = await runJest(script);
  add(first);
  if (first.succeeded) return true;
  noteFailures(first);
  if (!MAY_BE_UNSTEADY.includes(script) || first.files.length === 0 || first.files.length > MOST_UNSTEADY_FILES)
    return false;
  for (let runs = 1, inARow = 0; runs <= MOST_RUNS_ALONE; runs++) {
    console.log(
      `\nRunning again, alone, what failed (${runs} of at most ${MOST_RUNS_ALONE}): ${first.files.join(', ')}`,
    );
    const again = await runJest('test:again', ...first.files);
    noteFailures(again);
    inARow = again.succeeded ? inARow + 1 : 0;
    if (inARow < 2) continue;
    counts.passed += first.failed;
    counts.failed -= first.failed;
    for (const failure of failures) failure.verdict = 'UNSTEADY';
    return true;
  }
  return false;
};

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

const perform = (step) =>
  step === 'generated' ? generatedUnchanged() : step.startsWith('test:') ? test(step) : run(step);

let failed;
for (const step of STEPS) {
  const begun = performance.now();
  const succeeded = await perform(step);
  console.log(`${succeeded ? 'ok' : 'FAILED'}  ${step}  ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  if (succeeded) continue;
  failed = step;
  break;
}
await rm(join(results, '..'), { recursive: true, force: true });
if (failed) console.log(`\nStopped at: npm run ${failed === 'generated' ? 'generate' : failed}`);
for (const { verdict, what } of failures) console.log(`${verdict}: ${what}`);
const forbidden = process.env.MAKULER_FORBID_SKIPS && counts.skipped > 0;
if (forbidden) console.log(`${counts.skipped} tests were skipped, and here none may be.`);
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exit(failed || forbidden ? 1 : 0);
