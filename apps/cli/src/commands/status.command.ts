import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import type { CheckAnswer, ReadyAnswer } from '#client';
import { ApiProblem, MakulerClient, ONCE } from '#client';
import { backupWarningsOf } from '../backup/backup-warnings.js';
import type { GlobalOptions } from '../client/connection.js';
import { homeOf } from '../client/connection.js';
import { describeEpochs, epochsOf } from '../client/epochs.js';
import { mirrorWarningsOf } from '../client/mirrors.js';
import { action } from '../command.js';
import { ANALYST } from '../up/database.js';
import { readIfThere } from '../up/files.js';
import type { Home } from '../up/home.js';
import type { Running } from '../up/lock.js';
import { readRunning } from '../up/lock.js';
import { stillRuns } from '../up/processes.js';

/** `makuler status`: what runs, where, whether each part is well, and what to mind. Exit status 0 only when all is well. */
export const registerStatus = (program: Command): void => {
  program
    .command('status')
    .description('what runs, its addresses and health, and what to mind')
    .action(
      action<GlobalOptions, []>(async ({ output, options }) => {
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
          output.result({ running: false, warnings }, [`Nothing runs in ${home.directory}.`, ...warnings.map(warned)]);
          return false;
        }
        const processes = await processesOf(running);
        const checks = await checksOf(running);
        const { api, docs, postgres } = running.addresses;
        const analytics = postgres === undefined ? undefined : `postgres://${ANALYST}@${postgres}/readmodels`;
        const value = {
          running: true,
          since: running.since,
          addresses: { api, docs, analytics },
          processes,
          checks,
          epochs,
          warnings,
        };
        output.result(value, [
          `Makuler runs since ${running.since}.`,
          `  API        ${api}/v1`,
          `  Docs       ${docs}`,
          ...(analytics === undefined
            ? []
            : [`  Analytics  ${analytics} (schema analytics; password: "analyst" in ${home.secrets})`]),
          '',
          ...Object.entries(processes).map(
            ([name, { pid, alive }]) => `  ${name.padEnd(16)} ${alive ? `process ${pid}` : 'does not run'}`,
          ),
          ...Object.entries(checks).map(
            ([name, { ready, because }]) => `  ${name.padEnd(16)} ${ready ? 'ready' : `not ready: ${because ?? ''}`}`,
          ),
          ...epochLines.map((line, n) => `  ${(n === 0 ? 'keys' : '').padEnd(16)} ${line}`),
          ...(warnings.length > 0 ? ['', ...warnings.map(warned)] : []),
        ]);
        return [
          ...Object.values(processes).map(({ alive }) => alive),
          ...Object.values(checks).map(({ ready }) => ready),
        ].every(Boolean);
      }),
    );
};

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
const checksOf = async (running: Running): Promise<Readonly<Record<string, CheckAnswer>>> => {
  const { api } = running.addresses;
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
