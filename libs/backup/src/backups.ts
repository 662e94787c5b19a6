import { rm } from 'node:fs/promises';
import type { Clock } from '#kernel';
import { MakulerError, newId } from '#kernel';
import type { EventStore } from '#ledger';
import type { Pool } from '#postgres';
import type { ArchiveFrame, ArchiveHeader, VaultArchive } from '#vault/operations';
import { writeControl } from './control-part.js';
import type { Inventory } from './inventory.js';
import type { LogParts } from './log-part.js';
import { writeLog } from './log-part.js';
import type { Manifest } from './manifest.js';
import { FORMAT, VERSION } from './manifest.js';
import type { TableRows } from './row-parts.js';
import { writeRows } from './row-parts.js';
import { clearUnfinished, nameOfSet, placeForSets, setsIn, UnfinishedSet, verifySet } from './set-directory.js';

/** Where a backup reads, and what it asks. */
export interface BackupSources {
  readonly store: EventStore;
  readonly vault: VaultArchive;
  readonly control: Pool;
  readonly clock: Clock;
  readonly inventory: Inventory;
}

export interface TakeOptions {
  /** The directory in which sets lie; the set makes one of its own in it. */
  readonly directory: string;
  readonly signal?: AbortSignal;
  readonly progress?: (step: BackupStep, done: number, total?: number) => void;
}
export type BackupStep = 'log' | 'vault' | 'control' | 'verifying';

/** A set that is whole, on disk, and read back. */
export interface TakenSet {
  readonly directory: string;
  readonly manifest: Manifest;
  /** Left by backups that were interrupted, and removed. */
  readonly cleared: number;
}

/** One backup of an installation at a time, whichever process takes it. "makuler backup" in the space of advisory locks of control. */
const LOCK = "hashtextextended('makuler.backup', 0)";

/** Takes and removes sets. What a set is made of stands in docs/formats/archive.md. */
export class Backups {
  constructor(private readonly sources: BackupSources) {}

  /**
   * Writes a set beside the running system, reads it back, and notes it in the inventory. The log goes first, up to its
   * present end; then the vault, which by then has every key of it; then control. Interrupted, it leaves nothing that looks
   * like a set. Throws `backup-in-progress`, `backup-misplaced`, and what kept a source or the disk from answering.
   */
  async take(options: TakeOptions): Promise<TakenSet> {
    const { control, inventory, vault } = this.sources;
    const parent = await placeForSets(options.directory, await vault.mirrors());
    const lock = await control.connect();
    const { rows } = await lock.query<{ taken: boolean }>(`select pg_try_advisory_lock(${LOCK}) as taken`);
    if (!rows[0]?.taken) {
      lock.release();
      throw new MakulerError('backup-in-progress');
    }
    try {
      const taken = await this.#write(parent, options);
      await inventory.add(taken.manifest, taken.directory);
      await verifySet(taken.directory, (done, total) => options.progress?.('verifying', done, total));
      await inventory.noteVerified(taken.manifest.setId);
      return taken;
    } finally {
      const isFreed = await lock.query(`select pg_advisory_unlock(${LOCK})`).then(
        () => true,
        () => false,
      );
      // Where it can't be given back, the connection's end surely frees it.
      lock.release(!isFreed);
    }
  }

  /**
   * Deletes the sets of this installation in a directory that open no more, because the roots of their epoch are gone; gives
   * their ids. Other sets, and whatever else lies there, are never touched.
   */
  async prune(directory: string): Promise<readonly string[]> {
    const { inventory, vault } = this.sources;
    const installation = await installationOf(vault);
    const removed: string[] = [];
    for (const { directory: place, manifest } of await setsIn(directory)) {
      if (manifest.installation !== installation || (await inventory.opens(manifest.vault.epoch))) continue;
      await rm(place, { recursive: true });
      await inventory.noteRemoved(manifest.setId);
      removed.push(manifest.setId);
    }
    return removed;
  }

  async #write(parent: string, { signal, progress }: TakeOptions): Promise<TakenSet> {
    const { store, vault, control, clock } = this.sources;
    const [setId, createdAt] = [newId(), clock.now()];
    // The vault is asked first, for the installation that the directory is named after; its rows are read when the log is written.
    const installation = await installationOf(vault);
    const cleared = await clearUnfinished(parent, installation);
    const set = await UnfinishedSet.begin(parent, nameOfSet(createdAt, setId), installation);
    try {
      const until = await store.head();
      const log = await writeLog(store, set.directory, {
        until,
        ...(signal ? { signal } : {}),
        progress: (_, position) => progress?.('log', Number(position), Number(until)),
      });
      const keys = await writeVault(vault, set.directory, signal, (rows) => progress?.('vault', rows));
      const { part, leftOut } = await writeControl(control, set.directory);
      progress?.('control', part.lines, part.lines);
      const manifest: Manifest = {
        ...{ format: FORMAT, version: VERSION, setId, installation, createdAt: createdAt.toISOString() },
        log: pointOf(log, until),
        vault: {
          incarnation: keys.header.incarnation,
          mintSequence: keys.header.mintSequence,
          epoch: keys.header.epoch,
        },
        control: { leftOut },
        parts: [...log.parts, keys.part, part],
      };
      return { directory: await set.finish(manifest), manifest, cleared };
    } catch (error) {
      await set.remove();
      throw error;
    }
  }
}

const pointOf = ({ end }: LogParts, until: bigint): Manifest['log'] => ({
  position: String(until),
  sequence: String(end.sequence),
  link: end.link,
});

const installationOf = async (vault: VaultArchive): Promise<string> => {
  for await (const frame of vault.backup()) if ('header' in frame) return frame.header.installation;
  throw new MakulerError('vault-unavailable');
};

const writeVault = async (
  vault: VaultArchive,
  directory: string,
  signal: AbortSignal | undefined,
  progress: (rows: number) => void,
) => {
  const { header, rows } = await opened(vault.backup());
  let count = 0;
  const counted = async function* () {
    for await (const some of rows) {
      signal?.throwIfAborted();
      progress((count += some.rows.length));
      yield some;
    }
  };
  return { ...(await writeRows(directory, 'vault', header, counted())), header };
};

/** The header of a copy, and its rows behind it; leaving the rows early ends the copy. Throws `vault-unavailable` for one that has no end. */
const opened = async (
  copy: AsyncIterable<ArchiveFrame>,
): Promise<{ readonly header: ArchiveHeader; readonly rows: AsyncIterable<TableRows> }> => {
  const frames = copy[Symbol.asyncIterator]();
  const first = (await frames.next()).value as ArchiveFrame | undefined;
  if (!first || !('header' in first)) throw new MakulerError('vault-unavailable');
  return { header: first.header, rows: rowsBehind(frames) };
};

async function* rowsBehind(frames: AsyncIterator<ArchiveFrame>): AsyncGenerator<TableRows, void> {
  try {
    for (let count = 0; ;) {
      const { value: frame, done } = await frames.next();
      if (done || 'header' in frame || ('end' in frame && frame.end.rows !== count))
        throw new MakulerError('vault-unavailable', { detail: 'The copy of the vault broke off.' });
      if ('end' in frame) return;
      count += frame.rows.rows.length;
      yield frame.rows;
    }
  } finally {
    await frames.return?.();
  }
}
