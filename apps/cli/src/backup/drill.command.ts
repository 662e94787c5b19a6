import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { DrillReport, Manifest } from '#backup';
import { openEverything, verifySet } from '#backup';
import { EventRegistry } from '#events';
import { SystemClock } from '#kernel';
import { EventStoreLedger } from '#ledger';
import { GrpcVault } from '#vault';
import type { GlobalOptions } from '../client/connection.js';
import { homeOf } from '../client/connection.js';
import { action } from '../command.js';
import { Refusal } from '../refusal.js';
import { homeIn } from '../up/home.js';
import { readRunning } from '../up/lock.js';
import type { SystemOptions } from '../up/options.js';
import { systemOptions } from '../up/up.command.js';
import { backupsOf } from './backup.command.js';
import { runningStores } from './connected-stores.js';
import { READING_BACK, stepProgress } from './progress.js';
import type { RestoredHome } from './restore-home.js';
import { restoreHome } from './restore-home.js';
import { makeScratch } from './scratch.js';

interface DrillOptions extends GlobalOptions {
  readonly custodian?: string;
}

/**
 * `makuler drill [SET]`: restores a set into a scratch home, opens every block of its log there, and removes it again. The
 * custodian is looked at and not changed, so the installation may run meanwhile. Exit status 0 only when nothing was wrong.
 */
export const registerDrill = (program: Command, instead: Partial<SystemOptions> = {}): void => {
  program
    .command('drill')
    .description('restore a backup set into a scratch home, open everything in it, and throw it away')
    .argument('[SET]', 'the directory of the set; the latest good one of the running system when none is named')
    .option('--custodian <DIRS>', 'mirrors of the root keys, when the system does not run')
    .action(
      action<DrillOptions, [string | undefined]>(async ({ output, options }, given) => {
        const directory = given === undefined ? await latestSet(options) : resolve(given);
        const progress = stepProgress(output.json);
        let scratch: string | undefined;
        try {
          const manifest = await verifySet(directory, (done, total) => progress.update(READING_BACK, done, total));
          scratch = await makeScratch();
          const system = { ...(await scratchOptions(options, scratch)), ...instead };
          const run = { options: system, directory, manifest, progress: progress.update, warn: output.note };
          const report = await restoreHome(run, (restored) =>
            lookThrough(restored, directory, manifest, (done, total) => progress.update('opening', done, total)),
          );
          if (report.passed) await noteDrilled(options, manifest);
          progress.end();
          output.result(report, inWords(report, directory));
          return report.passed;
        } finally {
          progress.end();
          if (scratch !== undefined) await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
        }
      }),
    );
};

/** What `up` would run, in another home, with servers of its own. */
const scratchOptions = async (options: DrillOptions, scratch: string): Promise<SystemOptions> => {
  const given = systemOptions({ ...options } as Record<string, string | undefined>);
  const custodian = (await readRunning(homeOf(options)))?.custodian ?? given.custodian;
  const { host, port, policy, baseEnv, scriptOf, preload } = given;
  return {
    ...{ home: homeIn(scratch), host, port, policy, baseEnv, scriptOf, preload, drill: true },
    custodian: options.custodian === undefined ? custodian : given.custodian,
  };
};

const lookThrough = async (
  { stores, running, vault: report }: RestoredHome,
  directory: string,
  manifest: Manifest,
  progress: (events: number, total: number) => void,
): Promise<DrillReport> => {
  if (report.gate !== 'consistent' && report.gate !== 'reconciled')
    throw new Refusal(`The restored vault's gate stays closed (${report.gate}): ${report.why}`, report.wayOut);
  const clock = new SystemClock();
  const address = { address: `localhost:${running.places.vaultPort}`, ...running.certificates.worker };
  const vault = new GrpcVault({ ...address, clock });
  try {
    await vault.ready(READY_MS);
    // No event is declared to it: blocks are opened and counted, and no field of them is looked at.
    const registry = new EventRegistry([]);
    const ledger = new EventStoreLedger({ store: stores.store, vault, registry, clock, policyVersion: () => 'drill' });
    const { store } = stores;
    return await openEverything({ store, ledger, directory, manifest, applied: report.applied, progress });
  } finally {
    await vault.close();
  }
};

const READY_MS = 20_000;

const latestSet = async (options: DrillOptions): Promise<string> => {
  const stores = await runningStores(options);
  try {
    const good = (await backupsOf(stores).inventory.list()).find(({ state }) => state === 'good');
    if (good) return good.directory;
    throw new Refusal('There is no good backup.', 'Take one with `makuler backup DIR`.');
  } finally {
    await stores.close();
  }
};

/** The inventory is that of the running system; without one, the report has to do. */
const noteDrilled = async (options: DrillOptions, { setId }: Manifest): Promise<void> => {
  const stores = await runningStores(options).catch(() => undefined);
  if (!stores) return;
  await backupsOf(stores)
    .inventory.noteDrilled(setId)
    .catch(() => undefined);
  await stores.close();
};

const inWords = ({ events, blocks, keys, risen, passed }: DrillReport, directory: string): string[] => [
  `${directory}: ${passed ? 'restored, and everything is as it should be' : 'something is wrong'}.`,
  `  ${events} events; ${blocks.opened} blocks open`,
  blocks.shredded + keys.shredded === 0
    ? '  no block is gone: nothing in it was ever shredded'
    : `  ${blocks.shredded} blocks are gone with ${keys.shredded} keys: ${keys.forgotten} named in the log, ` +
      `${keys.duringBackup} destroyed while the set was taken, ${keys.since} destroyed since`,
  ...(blocks.lost > 0 ? [`  ${blocks.lost} blocks are accepted as lost`] : []),
  ...(keys.unexplained > 0 ? [`! ${keys.unexplained} keys are gone, and nothing says why`] : []),
  ...(risen > 0 ? [`! ${risen} blocks of persons who were erased open again`] : []),
  ...Object.entries(blocks.failed).map(([code, count]) => `! ${count} blocks do not open: ${code}`),
];
