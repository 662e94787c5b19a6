import type { Command } from 'commander';
import type { SealAnswer } from '#client';
import type { GlobalOptions } from '../client/connection.js';
import { connect } from '../client/connection.js';
import { action } from '../command.js';

interface SealOptions extends GlobalOptions {
  readonly force?: boolean;
}

const STILL_MS = 5_000;
/** It answers when it is done. */
const LONGEST_MS = 300_000;

/** `makuler seal-epoch`: moves all keys that live into a new epoch, so that old copies of the vault die with the old roots. */
export const registerSealEpoch = (program: Command): void => {
  program
    .command('seal-epoch')
    .description('begin a new epoch of keys now, as every day; old backups of the vault die with the old one')
    .option('--force', 'also when nothing was shredded since the last seal')
    .action(
      action<SealOptions, []>(async ({ output, options }) => {
        const api = await connect(options, 'operator');
        const begun = performance.now();
        output.note('Sealing: keys that live move into a new epoch. Interrupted, it goes on when it is asked again.');
        const still = setInterval(
          () => output.note(`  still sealing after ${Math.round((performance.now() - begun) / 1_000)} s`),
          STILL_MS,
        );
        const { body } = await api
          .post('/v1/vault/epochs', { body: options.force ? { force: true } : {}, timeoutMs: LONGEST_MS })
          .finally(() => clearInterval(still));
        output.result(body, sealedLines(body));
      }),
    );
};

/** What was sealed, for people. */
export const sealedLines = ({ epoch, sealed, rotated, rewrapped, destroyAt }: SealAnswer): string[] =>
  sealed
    ? [
        `Epoch ${epoch - 1} is sealed; keys are made under epoch ${epoch} from now on.`,
        `  ${rotated} buckets got a fresh key, because something in them was shredded; ${rewrapped} kept theirs.`,
        `  Backups of the vault from before open until ${destroyAt}, and never again after that.`,
      ]
    : [`Nothing was shredded since the last seal: epoch ${epoch} goes on. (--force seals all the same.)`];
