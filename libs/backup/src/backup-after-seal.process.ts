import { EpochSealed } from '#epochs';
import type { Jobs } from '#jobs';
import { process } from '#projections';
import { takeBackup } from './backup.jobs.js';

/** A seal ends with a backup under the new epoch: those from before die with the old roots. */
export const backupAfterSeal = (jobs: Pick<Jobs, 'enqueue'>) =>
  process('backup_after_seal').on(EpochSealed, ({ eventId }) => jobs.enqueue(takeBackup, {}, { jobId: eventId }));
