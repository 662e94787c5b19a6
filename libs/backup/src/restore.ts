import { MakulerError } from '#kernel';
import type { EventStore } from '#ledger';
import type { Pool } from '#postgres';
import type { ArchiveFrame, ArchiveHeader, VaultArchive } from '#vault/operations';
import { assertControlFits, restoreControl } from './control-part.js';
import { eventsOf } from './log-part.js';
import type { Manifest } from './manifest.js';
import { damaged } from './manifest.js';
import type { RestoredLog } from './restore-log.js';
import { restoreLog } from './restore-log.js';
import { readRows } from './row-parts.js';

/** What the vault that is to be filled says of itself. */
export interface WaitingVault {
  /** Installation of its custodian. */
  readonly installation: string;
  /** Which life its database is in; empty while there is none. */
  readonly incarnation: string;
}

/** The fresh stores that a set goes into. */
export interface RestoreTargets {
  readonly store: EventStore;
  readonly vault: VaultArchive;
  readonly vaultState: () => Promise<WaitingVault>;
  readonly control: Pool;
}

export interface RestoreOptions {
  /** Where the set lies, and its manifest: `verifySet` has read it to its end. */
  readonly directory: string;
  readonly manifest: Manifest;
  /** Names the life of the vault's database that begins: a random UUID, the same when an interrupted restore is run again. */
  readonly incarnation: string;
  readonly progress?: (step: 'log' | 'control' | 'vault', done: number, total: number) => void;
}

/**
 * Brings a set into fresh stores, or goes on where a restore of the same set with the same incarnation stopped. The vault
 * comes last: when it reconciles, the log that it is judged by is whole. Throws `backup-foreign` before anything is written,
 * `restore-not-empty`, `backup-newer`, `backup-damaged`, and what kept a store from answering.
 */
export const restoreSet = async (
  { store, vault, vaultState, control }: RestoreTargets,
  { directory, manifest, incarnation, progress = () => undefined }: RestoreOptions,
): Promise<RestoredLog> => {
  const state = await vaultState();
  if (state.installation !== manifest.installation) throw new MakulerError('backup-foreign');
  const isFilled = state.incarnation === incarnation;
  if (state.incarnation !== '' && !isFilled)
    throw new MakulerError('restore-not-empty', { detail: 'The vault has keys already.' });
  await assertControlFits(control, manifest);
  const total = Number(manifest.log.sequence);
  const log = await restoreLog(store, eventsOf(directory, manifest), (events) => progress('log', events, total));
  await restoreControl(control, directory, manifest);
  progress('control', 1, 1);
  if (!isFilled) await vault.restore(vaultFrames(directory, manifest), incarnation);
  progress('vault', 1, 1);
  return log;
};

async function* vaultFrames(directory: string, { parts }: Manifest): AsyncGenerator<ArchiveFrame, void> {
  const part = parts.find(({ kind }) => kind === 'vault');
  if (!part) throw damaged('it has no part for the vault');
  const { header, rows } = await readRows<ArchiveHeader>(directory, part);
  yield { header };
  let count = 0;
  for await (const some of rows) {
    count += some.rows.length;
    yield { rows: some };
  }
  yield { end: { rows: count } };
}
