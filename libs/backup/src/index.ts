export type { BackupSources, BackupStep, TakenSet, TakeOptions } from './backups.js';
export { Backups } from './backups.js';
export { backupAfterSeal } from './backup-after-seal.process.js';
export type { BackupSettings } from './backup.jobs.js';
export {
  BACKUP_SETTINGS,
  takeBackup,
  TakeBackupProcessor,
  watchBackups,
  WatchBackupsProcessor,
} from './backup.jobs.js';
export { backupWarnings } from './warnings.js';
export type { KnownSet, SetState, SetView } from './inventory.js';
export { Inventory, viewOf } from './inventory.js';
export type { Manifest, Part } from './manifest.js';
export { onOneDevice, readManifest, setsIn, verifySet } from './set-directory.js';
export type { RestoreOptions, RestoreTargets, WaitingVault } from './restore.js';
export { restoreSet } from './restore.js';
export type { RestoredLog } from './restore-log.js';
export type { DrillInput, DrillReport } from './drill.js';
export { openEverything } from './drill.js';
export { directoriesOf } from './inventory-table.js';
