import type { Pool } from '#postgres';
import type { GlobalOptions } from '../client/connection.js';
import { homeOf } from '../client/connection.js';
import { readIfThere } from '../up/files.js';
import { defaultCustodian } from '../up/home.js';
import { readRunning } from '../up/lock.js';

/** Everything that a system keeps on this machine. */
export interface KeptPlaces {
  readonly paths: readonly string[];
  /** What belongs to it and can't be read. */
  readonly notReadable: readonly { readonly place: string; readonly why: string }[];
  readonly running: boolean;
}

/**
 * The home, the mirrors of the custodian, and the backup sets of the inventory (where `control` answers). `custodian`: where
 * the mirrors are, when nothing runs that says so and they are not beside the home.
 */
export const keptPlaces = async (
  options: GlobalOptions,
  custodian: readonly string[] | undefined,
  control: Pool | undefined,
): Promise<KeptPlaces> => {
  const home = homeOf(options);
  const running = await readRunning(home);
  const mirrors = custodian ?? running?.custodian ?? defaultCustodian(home);
  const sets = control === undefined ? [] : await (await import('#backup')).directoriesOf(control);
  const isToken = (place: string) => place.startsWith('pkcs11:');
  return {
    paths: [home.directory, ...mirrors.filter((place) => !isToken(place)), ...sets],
    notReadable: [
      ...mirrors.filter(isToken).map((place) => ({ place, why: 'roots in a token never leave it' })),
      ...(control === undefined ? [{ place: 'backup sets', why: 'nothing runs that knows where they are' }] : []),
    ],
    running: running !== undefined,
  };
};

/** The installation of a home: wrapped keys are bound to it. */
export const installationOf = async (options: GlobalOptions): Promise<string | undefined> =>
  (await readIfThere(homeOf(options).installation))?.trim();
