import { Module } from '@nestjs/common';
import { ApproveLossesHandler } from './approve-losses.js';
import { FindLossesHandler } from './find-losses.js';
import { ReappliedRecord } from './reapplied-record.js';
import { RecordReappliedProcessor } from './record-reapplied.job.js';

/** The way out of a closed gate. Needs from outside: Ledger, VaultRecovery and ProjectionStates. */
@Module({ providers: [FindLossesHandler, ApproveLossesHandler] })
export class RecoveryModule {}

/** What is recorded once the gate is open, in the workers. Needs from outside: Ledger, VaultRecovery, Jobs. */
@Module({ providers: [ReappliedRecord, RecordReappliedProcessor] })
export class RecoveryWorkModule {}
