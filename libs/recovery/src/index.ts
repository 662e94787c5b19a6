export * from './recovery.events.js';
export { type Loss, LOSSES_STREAM } from './losses.js';
export { FindLosses } from './find-losses.js';
export { ApproveLosses } from './approve-losses.js';
export { recordReapplied, RecordReappliedProcessor } from './record-reapplied.job.js';
export { ReappliedRecord } from './reapplied-record.js';
export { RecoveryModule, RecoveryWorkModule } from './recovery.module.js';
