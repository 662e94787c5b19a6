import type { Type } from '@nestjs/common';
import { ChainWorkModule, checkpointLog, CheckpointLogProcessor } from '#chain';
import { destroyRoots, DestroyRootsProcessor, EpochsWorkModule, sealEpoch, SealEpochProcessor } from '#epochs';
import {
  attestErasures,
  AttestErasuresProcessor,
  ErasureWorkModule,
  ExecuteErasureProcessor,
  resumeErasures,
  ResumeErasuresProcessor,
} from '#erasure';
import {
  clockHeartbeat,
  ClockHeartbeatProcessor,
  EndDeferralProcessor,
  nightlySweep,
  NightlySweepProcessor,
  RetentionSweepProcessor,
  RetentionWorkModule,
} from '#retention';
import type { Job, JobProcessor, PayloadFields, PayloadOf } from '#jobs';

/** A job that begins by itself: cron in Europe/Oslo. */
export interface Scheduled<F extends PayloadFields = any> {
  readonly job: Job<F>;
  readonly payload: PayloadOf<F>;
  readonly cron: string;
}

/** What the workers do. */
export interface Work {
  /** Nest modules of the contexts; each provides the processors below and what they need. */
  readonly modules: readonly Type[];
  /** Every kind of job: one line each. */
  readonly processors: readonly Type<JobProcessor>[];
  readonly schedules: readonly Scheduled[];
}

/** What the workers of the shipped system do. */
export const work: Work = {
  modules: [ChainWorkModule, EpochsWorkModule, ErasureWorkModule, RetentionWorkModule],
  processors: [
    ExecuteErasureProcessor,
    ResumeErasuresProcessor,
    AttestErasuresProcessor,
    NightlySweepProcessor,
    RetentionSweepProcessor,
    EndDeferralProcessor,
    ClockHeartbeatProcessor,
    SealEpochProcessor,
    DestroyRootsProcessor,
    CheckpointLogProcessor,
  ],
  schedules: [
    { job: clockHeartbeat, payload: {}, cron: '*/5 * * * *' },
    { job: resumeErasures, payload: {}, cron: '20 * * * *' },
    { job: sealEpoch, payload: {}, cron: '*/10 * * * *' },
    { job: destroyRoots, payload: {}, cron: '40 * * * *' },
    { job: checkpointLog, payload: {}, cron: '50 * * * *' },
    { job: attestErasures, payload: {}, cron: '50 * * * *' },
    { job: nightlySweep, payload: {}, cron: '15 2 * * *' },
  ],
};
