import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Backups, Inventory, onOneDevice, viewOf } from '#backup';
import type { BackupStep, KnownSet, TakenSet } from '#backup';
import type { GlobalOptions } from '../client/connection.js';
import { homeOf } from '../client/connection.js';
import { action } from '../command.js';
import { Refusal } from '../refusal.js';
import type { ConnectedStores } from './connected-stores.js';
import { runningStores } from './connected-stores.js';
import { bytesInWords, READING_BACK, stepProgress } from './progress.js';

interface BackupOptions extends GlobalOptions {
  readonly list?: boolean;
  readonly prune?: boolean;
}

/** `makuler backup DIR`: a set of log, vault and control, taken beside the running system; `--list` and `--prune` look after the sets. */
export const registerBackup = (program: Command): void => {
  program
    .command('backup')
    .description('write a backup set into a directory, beside the running system')
    .argument('[DIR]', 'where sets lie; best on another device, and never inside the custodian')
    .option('--list', 'the sets that were taken, and until when each can be restored')
    .option('--prune', 'delete the sets in DIR that can be restored no more')
    .action(
      action<BackupOptions, [string | undefined]>(async ({ output, options }, given) => {
        const home = homeOf(options);
        const directory = given === undefined ? undefined : resolve(given);
        if (directory === undefined && !options.list)
          throw new Refusal('No directory was named.', 'Say where the set is to lie: makuler backup DIR.');
        const stores = await runningStores(options);
        try {
          const { backups, inventory } = backupsOf(stores);
          if (options.list) return listSets(await inventory.list(), output);
          if (options.prune) {
            const removed = await backups.prune(directory!);
            return output.result({ removed }, [
              removed.length === 0
                ? 'Every set there can still be restored: nothing was deleted.'
                : `Deleted, because their roots are gone: ${removed.length}.`,
            ]);
          }
          const progress = stepProgress(options.json ?? false);
          const taken = await backups
            .take({ directory: directory!, progress: (step, done, total) => progress.update(STEPS[step], done, total) })
            .finally(progress.end);
          if (await onOneDevice(directory!, home.directory))
            output.note('! The set lies on the device of the home: whoever loses that disk has neither.');
          output.result(summary(taken), inWords(taken));
        } finally {
          await stores.close();
        }
      }),
    );
};

/** What a count is of. */
const STEPS: Readonly<Record<BackupStep, string>> = {
  log: 'log, positions',
  vault: 'vault, rows',
  control: 'control, rows',
  verifying: READING_BACK,
};

/** Backups of the installation whose stores these are. */
export const backupsOf = (stores: ConnectedStores): { readonly backups: Backups; readonly inventory: Inventory } => {
  const { store, vault, control, operations, clock } = stores;
  const inventory = new Inventory(control, operations, clock);
  return { inventory, backups: new Backups({ store, vault, control, clock, inventory }) };
};

const summary = ({ directory, manifest, cleared }: TakenSet) => ({
  ...{ set: directory, setId: manifest.setId, createdAt: manifest.createdAt, position: manifest.log.position },
  ...{ events: Number(manifest.log.sequence), epoch: manifest.vault.epoch, bytes: bytesOf(manifest), cleared },
});

const inWords = ({ directory, manifest, cleared }: TakenSet): string[] => [
  `${directory}`,
  `  ${manifest.log.sequence} events, up to position ${manifest.log.position}`,
  `  keys of epoch ${manifest.vault.epoch}: it can be restored until the roots of that epoch are destroyed`,
  `  ${bytesInWords(bytesOf(manifest))} in ${manifest.parts.length} parts, read back whole`,
  ...(cleared > 0 ? [`  ${cleared} interrupted backups were cleared away`] : []),
];

const bytesOf = ({ parts }: TakenSet['manifest']): number => parts.reduce((sum, { bytes }) => sum + bytes, 0);

const listSets = (
  sets: readonly KnownSet[],
  output: { result(value: unknown, lines: readonly string[]): void },
): void =>
  output.result(
    sets.map(viewOf),
    sets.length === 0
      ? ['No backup was taken yet.']
      : sets.map((set) => `${set.setId}  ${lineOf(set)}  ${set.directory}`),
  );

const lineOf = ({ createdAt, epoch, state, restorableUntil, drilledAt }: KnownSet): string => {
  const until =
    restorableUntil === 'open'
      ? 'restorable (its epoch is open)'
      : restorableUntil === 'unknown'
        ? 'not known to be restorable: the vault does not answer'
        : restorableUntil
          ? `restorable until ${restorableUntil.toISOString()}`
          : state;
  return `${createdAt.toISOString()}  epoch ${epoch}  ${until}${drilledAt ? `, drilled ${drilledAt.toISOString()}` : ''}`;
};
