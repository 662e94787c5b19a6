import { Inject, Injectable } from '@nestjs/common';
import { Checkpoints } from '#chain';
import type { JobRun } from '#jobs';
import { defineJob, JobProcessor } from '#jobs';
import { Clock } from '#kernel';
import { Backups } from './backups.js';
import { Inventory } from './inventory.js';
import { backupWarnings } from './warnings.js';

/** Takes a set, reads it back, and deletes those that have expired: every night, and after each seal. */
export const takeBackup = defineJob('take-backup', {});

/** Says in the log when no set can be restored, or the last one runs out: before roots are destroyed, each hour. */
export const watchBackups = defineJob('watch-backups', {});

/** What the worker was told about backups. */
export interface BackupSettings {
  /** Where sets are written; without one none are taken by themselves. */
  readonly directory: string | undefined;
  /** Says a warning where operators look. */
  readonly warn: (warning: string) => void;
}
/** `@Inject(BACKUP_SETTINGS) settings: BackupSettings`. */
export const BACKUP_SETTINGS = Symbol('backup settings');

@Injectable()
export class TakeBackupProcessor extends JobProcessor<(typeof takeBackup)['fields']> {
  readonly job = takeBackup;

  constructor(
    @Inject(BACKUP_SETTINGS) private readonly settings: BackupSettings,
    private readonly backups: Backups,
    private readonly checkpoints: Checkpoints,
  ) {
    super();
  }

  async process(_payload: Record<string, never>, { signal }: JobRun) {
    const { directory } = this.settings;
    if (directory === undefined) return { taken: 0 };
    // Whoever restores it finds a checkpoint at its end, and the custodian has seen it.
    await this.checkpoints.now();
    const { manifest } = await this.backups.take({ directory, signal });
    const pruned = await this.backups.prune(directory);
    return { taken: 1, events: Number(manifest.log.sequence), pruned: pruned.length };
  }
}

@Injectable()
export class WatchBackupsProcessor extends JobProcessor<(typeof watchBackups)['fields']> {
  readonly job = watchBackups;

  constructor(
    @Inject(BACKUP_SETTINGS) private readonly settings: BackupSettings,
    private readonly inventory: Inventory,
    private readonly clock: Clock,
  ) {
    super();
  }

  /** Roots are destroyed on their date all the same: what a certificate promised does not wait for a backup. */
  async process() {
    const { directory, warn } = this.settings;
    if (directory === undefined) return { warnings: 0 };
    const warnings = backupWarnings(await this.inventory.list(), this.clock.now());
    for (const warning of warnings) warn(warning);
    return { warnings: warnings.length };
  }
}
