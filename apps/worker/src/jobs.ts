import type { DynamicModule, Type } from '@nestjs/common';
import { takeBackup, TakeBackupProcessor, watchBackups, WatchBackupsProcessor } from '#backup';
import {
  ChainWorkModule,
  checkpointLog,
  CheckpointLogProcessor,
  checkpointStretches,
  CheckpointStretchesProcessor,
} from '#chain';
import { destroyRoots, DestroyRootsProcessor, EpochsWorkModule, sealEpoch, SealEpochProcessor } from '#epochs';
import {
  attestErasures,
  AttestErasuresProcessor,
  ErasureWorkModule,
  ExecuteErasureProcessor,
  resumeErasures,
  ResumeErasuresProcessor,
} from '#erasure';
import { recordReapplied, RecordReappliedProcessor, RecoveryWorkModule } from '#recovery';
import {
  clockHeartbeat,
  ClockHeartbeatProcessor,
  EndDeferralProcessor,
  nightlySweep,
  NightlySweepProcessor,
  resumeSweeps,
  ResumeSweepsProcessor,
  RetentionSweepProcessor,
  RetentionWorkModule,
} from '#retention';
import type { Job, JobProcessor, PayloadFields, PayloadOf } from '#jobs';
import { BackupWorkModule } from './backup-work.module.js';

/** A job that begins by itself: cron in Europe/Oslo. */
export interface Scheduled<F extends PayloadFields = any> {
  readonly job: Job<F>;
  readonly payload: PayloadOf<F>;
  readonly cron: string;
}

/** What the workers do. */
export interface Work {
  /** Nest modules of the contexts; each provides the processors below and what they need. */
  readonly modules: readonly (Type | DynamicModule)[];
  /** Every kind of job: one line each. */
  readonly processors: readonly Type<JobProcessor>[];
  readonly schedules: readonly Scheduled[];
  /** What looks in the log for orders whose jobs are gone; enqueued when the queues turn out to have lost what they held. */
  readonly resumes: readonly Job<Record<never, never>>[];
}

/** What the workers of the shipped system do; `backups` is where sets are written, if they are. */
export const workOf = (backups: string | undefined): Work => ({
  modules: [
    ChainWorkModule,
    EpochsWorkModule,
    ErasureWorkModule,
    RecoveryWorkModule,
    RetentionWorkModule,
    BackupWorkModule.into(backups),
  ],
  processors: [
    ExecuteErasureProcessor,
    ResumeErasuresProcessor,
    AttestErasuresProcessor,
    NightlySweepProcessor,
    RetentionSweepProcessor,
    ResumeSweepsProcessor,
    EndDeferralProcessor,
    ClockHeartbeatProcessor,
    SealEpochProcessor,
    DestroyRootsProcessor,
    CheckpointLogProcessor,
    CheckpointStretchesProcessor,
    TakeBackupProcessor,
    WatchBackupsProcessor,
    RecordReappliedProcessor,
  ],
  schedules: [
    { job: clockHeartbeat, payload: {}, cron: '*/5 * * * *' },
    { job: resumeErasures, payload: {}, cron: '20 * * * *' },
    { job: resumeSweeps, payload: {}, cron: '25 * * * *' },
    { job: sealEpoch, payload: {}, cron: '*/10 * * * *' },
    { job: recordReapplied, payload: {}, cron: '5-59/10 * * * *' },
    { job: destroyRoots, payload: {}, cron: '40 * * * *' },
    { job: checkpointLog, payload: {}, cron: '50 * * * *' },
    { job: checkpointStretches, payload: {}, cron: '*/10 * * * *' },
    { job: attestErasures, payload: {}, cron: '50 * * * *' },
    { job: nightlySweep, payload: {}, cron: '15 2 * * *' },
    { job: takeBackup, payload: {}, cron: '15 3 * * *' },
    { job: watchBackups, payload: {}, cron: '35 * * * *' },
  ],
  // What else was enqueued (ends of deferrals, root destructions, attestations, backups) its own schedule makes up for.
  resumes: [resumeErasures, resumeSweeps],
});
