import { Module } from '@nestjs/common';
import { ApproveSweepHandler } from './approve-sweep.js';
import { BeginSweepHandler } from './begin-sweep.js';
import { ClockGuard } from './clock-guard.js';
import { ClockHeartbeatProcessor } from './clock-heartbeat.job.js';
import { CurrentHoldings } from './current-holdings.js';
import { Due } from './due.js';
import { Holdings } from './holdings.js';
import { OwnerExpiry } from './owner-expiry.js';
import {
  EndDeferralProcessor,
  NightlySweepProcessor,
  ResumeSweepsProcessor,
  RetentionSweepProcessor,
} from './sweep.jobs.js';
import { DeferralEnd, SweepRun } from './sweep-run.js';

/** What we hold. Needs from outside: Ledger, Policy, ProjectionStates and the database of the read models (`Kysely`). */
@Module({ providers: [Holdings, CurrentHoldings], exports: [Holdings, CurrentHoldings] })
export class HoldingsModule {}

/** Sweeps and the clock's safety catches. Needs from outside what HoldingsModule needs, and Clock. */
@Module({
  imports: [HoldingsModule],
  providers: [Due, ClockGuard, BeginSweepHandler, ApproveSweepHandler],
  exports: [HoldingsModule, Due, ClockGuard],
})
export class RetentionModule {}

const PROCESSORS = [
  NightlySweepProcessor,
  RetentionSweepProcessor,
  ResumeSweepsProcessor,
  EndDeferralProcessor,
  ClockHeartbeatProcessor,
];

/** Sweeping, in the workers. Needs from outside what RetentionModule needs, a Shredder that may shred, and VaultRecovery. */
@Module({ imports: [RetentionModule], providers: [OwnerExpiry, SweepRun, DeferralEnd, ...PROCESSORS] })
export class RetentionWorkModule {}
