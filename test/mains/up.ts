import { fileURLToPath } from 'node:url';
import { createProgram } from '../../apps/cli/src/program.js';
import { describeFailure } from '../../apps/cli/src/output.js';
import { baseEnv } from '../../apps/cli/src/config.js';
import type { App } from '../../apps/cli/src/up/options.js';
import { childEnvironment } from './clock.js';

/** `makuler up` with every program on the test clock; the event node looks at no clock of ours. */
const CLOCKED: ReadonlySet<App> = new Set(['vault', 'api', 'projector', 'worker']);
const scriptOf = (app: App): string =>
  fileURLToPath(new URL(CLOCKED.has(app) ? `./${app}.js` : `../../apps/${app}/src/main.js`, import.meta.url));

try {
  await createProgram({ scriptOf, baseEnv: { ...baseEnv(), ...childEnvironment() } }).parseAsync();
} catch (error) {
  process.stderr.write(`${describeFailure(error, process.argv.includes('--json'))}\n`);
  process.exitCode = 1;
}
process.exit();
