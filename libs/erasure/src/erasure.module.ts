import { Module } from '@nestjs/common';
import { RetentionModule } from '#retention';
import { ApproveErasureHandler } from './approve-erasure.js';
import { ErasureBoard } from './erasure-board.js';
import { ErasureExecution } from './erasure-execution.js';
import { GetErasurePlanHandler } from './erasure-plan.query.js';
import { GiveUpErasureHandler } from './give-up-erasure.js';
import { PlanErasureHandler } from './plan-erasure.js';
import { ErasurePlanner } from './planner.js';
import { RequestExecutionHandler } from './request-execution.js';

const COMMANDS = [PlanErasureHandler, ApproveErasureHandler, RequestExecutionHandler, GiveUpErasureHandler];

/**
 * Erasures. Needs from outside: Ledger, Shredder, SigningKeys, Policy, Clock, ProjectionStates and the database of the read
 * models (`Kysely`).
 */
@Module({
  imports: [RetentionModule],
  providers: [ErasurePlanner, ErasureExecution, ErasureBoard, GetErasurePlanHandler, ...COMMANDS],
  exports: [ErasureExecution, ErasureBoard],
})
export class ErasureModule {}
