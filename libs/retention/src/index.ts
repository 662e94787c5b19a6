export * from './retention.events.js';
export * from './clock.events.js';
export { holdings } from './holdings.projection.js';
export { Holdings, type AssessedHolding } from './holdings.js';
export { CurrentHoldings } from './current-holdings.js';
export { expiry, ownStream, type Expiry } from './expiry.js';
export { Due, type DueOfEverybody } from './due.js';
export { BeginSweep } from './begin-sweep.js';
export { ApproveSweep } from './approve-sweep.js';
export { sweeps, SWEEPS_STREAM, type Sweep } from './sweeps.js';
export { ClockGuard, type ClockState } from './clock-guard.js';
export { clockHeartbeat, ClockHeartbeatProcessor } from './clock-heartbeat.job.js';
export {
  EndDeferralProcessor,
  nightlySweep,
  NightlySweepProcessor,
  resumeSweeps,
  ResumeSweepsProcessor,
  RetentionSweepProcessor,
} from './sweep.jobs.js';
export { retentionSweeps } from './retention.process.js';
export { HoldingsModule, RetentionModule, RetentionWorkModule } from './retention.module.js';
