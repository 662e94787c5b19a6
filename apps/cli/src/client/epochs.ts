import type { EpochsReport } from '#vault/operations';
import type { Home } from '../up/home.js';
import { askVault } from './vault-operations.js';

/** What the vault says of its epochs, asked under the command line's own certificate; `undefined` when it can't be asked. */
export const epochsOf = (home: Home): Promise<EpochsReport | undefined> =>
  askVault(home, (operations) => operations.epochs());

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** What the hourly job may take to come by. */
const PATIENCE_MS = 2 * HOUR_MS;

/** The epochs in words, and what of them somebody should look after. */
export const describeEpochs = (
  { current, openedAt, nextSealAt, sealing, sealNeeded, retiring, lost }: EpochsReport,
  now: Date,
): { readonly lines: readonly string[]; readonly warnings: readonly string[] } => {
  const ageMs = now.getTime() - Date.parse(openedAt);
  const waiting = retiring.map(
    ({ epoch, destroyAt }) => `epoch ${epoch}: old backups of the vault open until ${destroyAt}`,
  );
  const given =
    lost.length > 0
      ? [`epoch ${lost.join(', ')}: the roots went with a lost custodian, and nobody has seen them destroyed`]
      : [];
  const planned = sealing ? '; a seal is under way' : sealNeeded ? `; next seal by ${nextSealAt}` : '; nothing to seal';
  const overdue = retiring.filter(({ destroyAt }) => now.getTime() - Date.parse(destroyAt) > PATIENCE_MS);
  return {
    lines: [`epoch ${current}, opened ${age(ageMs)} ago${planned}`, ...waiting, ...given],
    warnings: [
      ...overdue.map(
        ({ epoch, destroyAt, outstanding }) =>
          `The roots of epoch ${epoch} were to be destroyed at ${destroyAt}, and ${outstanding.join(', ') || 'the job'} has not confirmed: ` +
          `until then old backups of the vault open, and attestations of erasures wait.`,
      ),
    ],
  };
};

const age = (ms: number): string =>
  ms < 2 * DAY_MS ? `${Math.floor(ms / HOUR_MS)} h` : `${Math.floor(ms / DAY_MS)} days`;
