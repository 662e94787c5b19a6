import { randomUUID } from 'node:crypto';
import type { Manifest, RestoredLog } from '#backup';
import { restoreSet } from '#backup';
import type { VaultReport } from '#vault';
import { Refusal } from '../refusal.js';
import { readIfThere } from '../up/files.js';
import type { Home } from '../up/home.js';
import type { SystemOptions } from '../up/options.js';
import { readState, updateState } from '../up/state.js';
import type { Steps } from '../up/steps.js';
import type { RunningStores } from '../up/system.js';
import { System } from '../up/system.js';
import type { ConnectedStores } from './connected-stores.js';
import { connectStores } from './connected-stores.js';

/** A home that was filled, while its stores still run. */
export interface RestoredHome {
  readonly log: RestoredLog;
  /** What the vault said after it had reconciled: the gate, and why it is closed if it is. */
  readonly vault: VaultReport;
  readonly stores: ConnectedStores;
  readonly running: RunningStores;
}

interface RestoreRun {
  readonly options: SystemOptions;
  readonly directory: string;
  /** Verified. */
  readonly manifest: Manifest;
  readonly progress: (step: string, done: number, total?: number) => void;
  readonly warn: (text: string) => void;
}

/**
 * Starts the stores of a home, fills them, hands them to `use`, and stops them, however it ends; a signal stops them too.
 * What was written stays: run again with the same set, it goes on.
 */
export const restoreHome = async <T>(
  { options, directory, manifest, progress, warn }: RestoreRun,
  use: (restored: RestoredHome) => Promise<T>,
): Promise<T> => {
  const system = new System(options, wordless(warn));
  let isTold = false;
  const stop = () => {
    isTold = true;
    void system.stop();
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  let stores: ConnectedStores | undefined;
  try {
    const running = await system.startStores();
    const incarnation = await noteRestore(options.home, manifest);
    stores = connectStores(placesOf(running));
    const { status } = stores;
    const log = await restoreSet({ ...stores, vaultState: status }, { directory, manifest, incarnation, progress });
    await updateState(options.home, { restore: { setId: manifest.setId, incarnation, done: true } });
    return await use({ log, vault: await status(), stores, running });
  } catch (error) {
    // What then fails is that the stores are gone.
    throw isTold
      ? new Refusal('It was interrupted.', 'Run it again with the same set: it goes on where it was.')
      : error;
  } finally {
    await stores?.close();
    await system.stop();
    for (const signal of SIGNALS) process.removeListener(signal, stop);
  }
};

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Throws Refusal for a home that is in use: it is no place to restore into. */
export const assertFresh = async (home: Home, { setId }: Manifest): Promise<void> => {
  const { restore } = await readState(home);
  if ((await readIfThere(home.secrets)) === undefined || restore?.setId === setId) return;
  throw new Refusal(
    `The home ${home.directory} is not empty.`,
    'Name a new one with --home, or the one in which a restore of this very set was interrupted.',
  );
};

/**
 * Which life of the vault begins, and that it has begun: after a crash it is the same one. The tokens come back with the
 * set, so the next start makes none.
 */
const noteRestore = async (home: Home, { setId }: Manifest): Promise<string> => {
  const { restore } = await readState(home);
  if (restore?.setId === setId) return restore.incarnation;
  const incarnation = randomUUID();
  await updateState(home, { tokensMade: true, restore: { setId, incarnation, done: false } });
  return incarnation;
};

const placesOf = ({ places, certificates, eventStoreUrl }: RunningStores) => ({
  eventStoreUrl,
  controlUrl: places.databases.control,
  vault: { address: `localhost:${places.vaultPort}`, ...certificates.cli },
});

/** The stores' start is no news here; what the operator should know is. */
const wordless = (warn: (text: string) => void): Steps => ({ done: () => undefined, warn, ready: () => undefined });
