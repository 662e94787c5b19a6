import { Module } from '@nestjs/common';
import { ChainModule } from '#chain';
import { ClockGuard } from '#retention';
import { DestroyRootsProcessor } from './destroy-roots.job.js';
import { EpochRecord } from './epoch-record.js';
import { GetEpochsHandler } from './epochs.query.js';
import {
  AddMirrorHandler,
  ApproveMirrorRetirementHandler,
  ProposeMirrorRetirementHandler,
  RepairMirrorHandler,
} from './mirrors.js';
import { GetMirrorsHandler } from './mirrors.query.js';
import { SealEpochProcessor } from './seal-epoch.job.js';
import { SealEpochHandler } from './seal-epoch.js';

/** Sealing on demand, the custodian's mirrors, and looking. Needs from outside: Ledger, VaultOperations, Clock, and what ChainModule needs. */
@Module({
  imports: [ChainModule],
  providers: [
    ClockGuard,
    EpochRecord,
    SealEpochHandler,
    GetEpochsHandler,
    AddMirrorHandler,
    ProposeMirrorRetirementHandler,
    ApproveMirrorRetirementHandler,
    RepairMirrorHandler,
    GetMirrorsHandler,
  ],
  exports: [ClockGuard, EpochRecord],
})
export class EpochsModule {}

/** Sealing and destroying roots, in the workers. Needs from outside what EpochsModule needs. */
@Module({ imports: [EpochsModule], providers: [SealEpochProcessor, DestroyRootsProcessor] })
export class EpochsWorkModule {}
