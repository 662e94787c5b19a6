export * from './chain.events.js';
export { canonicalJson } from './canonical-json.js';
export { type Checkpoint, type CheckpointClaims } from './checkpoint.js';
export {
  checkpointLog,
  CheckpointLogProcessor,
  checkpointStretches,
  CheckpointStretchesProcessor,
} from './checkpoint.job.js';
export { Checkpoints } from './checkpoints.js';
export type { Misfit } from './comparison.js';
export { ChainModule, ChainWorkModule } from './chain.module.js';
export { type ChainPoint, GENESIS, linked, type LinkedEvent } from './link.js';
export { type LogToVerify, type LogVerification, verifyLog } from './verify-log.js';
