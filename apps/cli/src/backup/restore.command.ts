import { resolve } from 'node:path';
import type { Command } from 'commander';
import { verifySet } from '#backup';
import type { VaultReport } from '#vault';
import { action } from '../command.js';
import { makeHome } from '../up/home.js';
import { adoptInstallation } from '../up/installation.js';
import type { SystemOptions } from '../up/options.js';
import { isDirectory } from '../up/system.js';
import { addSystemFlags, systemOptions } from '../up/up.command.js';
import { READING_BACK, stepProgress } from './progress.js';
import { assertFresh, restoreHome } from './restore-home.js';

/** Gates that serve. */
const OPEN = ['consistent', 'reconciled'];

/**
 * `makuler restore SET --home NEW`: brings a set into a new home (or the servers that the environment names), beside the
 * custodian of its installation. Exit status 0 only when the gate opened behind it.
 */
export const registerRestore = (program: Command, instead: Partial<SystemOptions> = {}): void => {
  const command = program
    .command('restore')
    .description('bring a backup set into a new home (--home), beside the custodian that it belongs to (--custodian)')
    .argument('<SET>', 'the directory of the set');
  addSystemFlags(command).action(
    action<Record<string, string | undefined> & { readonly json?: boolean }, [string]>(
      async ({ output, options }, set) => {
        const directory = resolve(set);
        const system = { ...systemOptions(options), ...instead };
        const progress = stepProgress(output.json);
        try {
          // All of it is read before anything is written anywhere.
          const manifest = await verifySet(directory, (done, total) => progress.update(READING_BACK, done, total));
          await assertFresh(system.home, manifest);
          await makeHome(system.home);
          await adoptInstallation(system.home, system.custodian.filter(isDirectory));
          const run = { options: system, directory, manifest, progress: progress.update, warn: output.note };
          return await restoreHome(run, async ({ log, vault }) => {
            progress.end();
            const isOpen = OPEN.includes(vault.gate);
            output.result(
              {
                ...{
                  home: system.home.directory,
                  setId: manifest.setId,
                  events: Number(manifest.log.sequence),
                  ...log,
                },
                ...{ gate: vault.gate, applied: vault.applied, why: vault.why, wayOut: vault.wayOut },
              },
              [
                `${manifest.log.sequence} events of ${manifest.createdAt} are in ${system.home.directory}` +
                  (log.present > 0 ? ` (${log.present} were there already).` : '.'),
                ...gateInWords(vault, isOpen, system),
              ],
            );
            return isOpen;
          });
        } finally {
          progress.end();
        }
      },
    ),
  );
};

const gateInWords = (
  { gate, applied, why, wayOut }: VaultReport,
  isOpen: boolean,
  { home, custodian }: SystemOptions,
): string[] => {
  if (!isOpen) return [`The vault's gate stays closed (${gate}): ${why}`, `  ${wayOut}`];
  const again = applied > 0 ? `${applied} keys that were destroyed since were destroyed again. ` : '';
  return [
    `${again}Start it with \`makuler up --home ${home.directory} --custodian ${custodian.join(',')}\`; read models are built anew.`,
    '  The tokens of the old home stay valid. The old home is not to be started again beside this one.',
  ];
};
