import { Module } from '@nestjs/common';
import { ClockGuard, HoldingsModule } from '#retention';
import { ApproveErasureHandler } from './approve-erasure.js';
import { AttestErasuresProcessor } from './attest-erasures.job.js';
import { ClearingFollowUp } from './clearing-follow-up.js';
import { ErasureBoard } from './erasure-board.js';
import { ErasureExecution } from './erasure-execution.js';
import { GetErasurePlanHandler } from './erasure-plan.query.js';
import { GiveUpErasureHandler } from './give-up-erasure.js';
import { PlanErasureHandler } from './plan-erasure.js';
import { ExecuteErasureProcessor, ResumeErasuresProcessor } from './execute-erasure.job.js';
import { ErasurePlanner } from './planner.js';
import { RequestExecutionHandler } from './request-execution.js';
import { Statements } from './statements.js';

const COMMANDS = [PlanErasureHandler, ApproveErasureHandler, RequestExecutionHandler, GiveUpErasureHandler];

/**
 * Planning and approving. Needs from outside: Ledger, Shredder (to list scopes), Policy, Clock, ProjectionStates and the database of the read
 * models (`Kysely`).
 */
@Module({
  imports: [HoldingsModule],
  providers: [ErasurePlanner, ErasureBoard, GetErasurePlanHandler, ...COMMANDS],
  exports: [ErasureBoard],
})
export class ErasureModule {}

/**
 * Executing and attesting, in the workers. Needs from outside what ErasureModule needs, and Jobs, SigningKeys, VaultOperations and a
 * Shredder that may shred.
 */
@Module({
  imports: [HoldingsModule],
  providers: [
    ClockGuard,
    ErasurePlanner,
    ErasureBoard,
    ErasureExecution,
    Statements,
    ClearingFollowUp,
    ExecuteErasureProcessor,
    ResumeErasuresProcessor,
    AttestErasuresProcessor,
  ],
})
export class ErasureWorkModule {}
