import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import type { CheckAnswer, ReadyAnswer } from '#client';
import { ApiProblem, MakulerClient, ONCE } from '#client';
import { readSecret } from '#kernel';
import { backupWarningsOf } from '../backup/backup-warnings.js';
import type { GlobalOptions } from '../client/connection.js';
import { addressOf, homeOf } from '../client/connection.js';
import { describeEpochs, epochsOf } from '../client/epochs.js';
import { mirrorWarningsOf } from '../client/mirrors.js';
import { action } from '../command.js';
import { environment } from '../config.js';
import type { Output } from '../output.js';
import { analyticsAddress } from '../up/database.js';
import { readIfThere } from '../up/files.js';
import type { Home } from '../up/home.js';
import type { Running } from '../up/lock.js';
import { readRunning } from '../up/lock.js';
import { stillRuns } from '../up/processes.js';

/**
 * `makuler status`: what runs, where, whether each part is well, and what to mind; with `--api`, what an API somewhere else says of
 * itself and of what it needs. Exit status 0 only when all is well.
 */
export const registerStatus = (program: Command): void => {
  program
    .command('status')
    .description('what runs, its addresses and health, and what to mind')
    .action(
      action<GlobalOptions, []>(async ({ output, options }) =>
        options.api === undefined
          ? statusOfHome(output, options)
          : statusOfApi(output, (await addressOf(options)).replace(/\/+$/, '')),
      ),
    );
};

const statusOfHome = async (output: Output, options: GlobalOptions): Promise<boolean> => {
  const home = homeOf(options);
  const running = await readRunning(home);
  const epochs = running && (await epochsOf(home));
  const { lines: epochLines, warnings: epochWarnings } = epochs
    ? describeEpochs(epochs, new Date())
    : { lines: [], warnings: [] };
  const backupWarnings = running ? await backupWarningsOf(options) : [];
  const mirrorWarnings = running ? await mirrorWarningsOf(home) : [];
  const warnings = [...(await warningsOf(home, running)), ...mirrorWarnings, ...epochWarnings, ...backupWarnings];
  if (!running) {
    output.result({ running: false, warnings }, [
      `Nothing runs in ${home.directory}. What runs elsewhere is asked with --api.`,
      ...warnings.map(warned),
    ]);
    return false;
  }
  const processes = await processesOf(running);
  const { api, docs, analytics, postgres } = running.addresses;
  const checks = await checksOf(api);
  const addresses = { api, docs, analytics };
  const embedded = postgres !== undefined;
  const value = { running: true, since: running.since, addresses, processes, checks, epochs, warnings };
  output.result(value, [
    `Makuler runs since ${running.since}.`,
    ...addressLines(addresses, embedded ? `password: "analyst" in ${home.secrets}` : undefined),
    '',
    ...Object.entries(processes).map(([name, { pid, alive }]) => line(name, alive ? `process ${pid}` : 'does not run')),
    ...checkLines(checks),
    ...epochLines.map((text, n) => line(n === 0 ? 'keys' : '', text)),
    ...(warnings.length > 0 ? ['', ...warnings.map(warned)] : []),
  ]);
  return [
    ...Object.values(processes).map(({ alive }) => alive),
    ...Object.values(checks).map(({ ready }) => ready),
  ].every(Boolean);
};

/** Of a system that somebody else has started, the API says which parts are well; it needs no token for that. */
const statusOfApi = async (output: Output, api: string): Promise<boolean> => {
  const checks = await checksOf(api);
  const running = checks['api']!.ready;
  const readModels = readSecret(environment, 'DATABASE_URL');
  const addresses = {
    api,
    docs: `${api}/docs`,
    analytics: readModels === undefined ? undefined : analyticsAddress(readModels),
  };
  output.result({ running, addresses, checks, warnings: [] }, [
    running ? 'Makuler runs.' : `Nothing answers at ${api}.`,
    ...(running ? [...addressLines(addresses), '', ...checkLines(checks)] : []),
  ]);
  return Object.values(checks).every(({ ready }) => ready);
};

type Checks = Readonly<Record<string, CheckAnswer>>;
type Addresses = Readonly<Record<'api' | 'docs' | 'analytics', string | undefined>>;

/** `login` is what an analyst is told of the password. */
const addressLines = (
  { api, docs, analytics }: Addresses,
  login = 'of DATABASE_URL; the login that an administrator made',
): string[] => [
  `  API        ${api}/v1`,
  `  Docs       ${docs}`,
  ...(analytics === undefined ? [] : [`  Analytics  ${analytics} (schema analytics; ${login})`]),
];
const checkLines = (checks: Checks): string[] =>
  Object.entries(checks).map(([name, { ready, because }]) =>
    line(name, ready ? 'ready' : `not ready: ${because ?? ''}`),
  );
const line = (name: string, text: string): string => `  ${name.padEnd(16)} ${text}`;

const warned = (warning: string): string => `  ! ${warning}`;

const processesOf = async (running: Running): Promise<Record<string, { pid: number; alive: boolean }>> =>
  Object.fromEntries(
    await Promise.all(
      Object.entries(running.children).map(
        async ([name, mark]) => [name, { pid: mark.pid, alive: await stillRuns(mark) }] as const,
      ),
    ),
  );

/** What the API says of itself and of what it needs. */
const checksOf = async (api: string | undefined): Promise<Checks> => {
  if (api === undefined) return { api: { ready: false, because: 'still starting' } };
  try {
    const { body } = await new MakulerClient({ address: api, patience: ONCE }).get('/health/ready');
    return { api: { ready: true }, ...body.checks };
  } catch (error) {
    const checks = error instanceof ApiProblem ? (error.document as Partial<ReadyAnswer>).checks : undefined;
    return checks === undefined
      ? { api: { ready: false, because: 'does not answer' } }
      : { api: { ready: true }, ...checks };
  }
};

const warningsOf = async (home: Home, running: Running | undefined): Promise<string[]> => {
  const warnings: string[] = [];
  if ((await readIfThere(home.tokens)) !== undefined)
    warnings.push(
      `${home.tokens} exists: whoever holds all of it is four eyes in one person. Hand its tokens out and remove it.`,
    );
  const mirrors = running?.custodian ?? [];
  const shared = await Promise.all(
    mirrors.map(async (mirror) => (await deviceOf(mirror)) === (await deviceOf(home.postgres))),
  );
  if (mirrors.length > 0 && shared.every(Boolean))
    warnings.push(
      'All custodian mirrors share a device with the vault: whoever loses or copies that disk has both (CUSTODIAN).',
    );
  return warnings;
};

const deviceOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ dev }) => dev,
    () => undefined,
  );
