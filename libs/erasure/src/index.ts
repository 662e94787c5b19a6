export * from './erasure.events.js';
export { erasureCase, erasureStream, type ErasureCase, type Executed, type Plan } from './erasure-case.js';
export { PlanErasure, type ErasurePlanning } from './plan-erasure.js';
export { planChanged } from './erasure-decisions.js';
export { ApproveErasure } from './approve-erasure.js';
export { RequestExecution } from './request-execution.js';
export { GiveUpErasure } from './give-up-erasure.js';
export { GetErasurePlan, type ErasurePlanView } from './erasure-plan.query.js';
export {
  erasureBoard,
  type CertificateRow,
  type ErasureRow,
  type ErasureState,
  type ErasureStep,
} from './erasure-board.projection.js';
export { ErasureBoard } from './erasure-board.js';
export { erasureExecution } from './erasure-execution.process.js';
export {
  executeErasure,
  ExecuteErasureProcessor,
  resumeErasures,
  ResumeErasuresProcessor,
} from './execute-erasure.job.js';
export { attestErasures, AttestErasuresProcessor, erasureAttestation } from './attest-erasures.job.js';
export { verifyCertificate } from './certificate.js';
export { contradictions, verifyStatement, type VerifiedStatement } from './verify-statements.js';
export { ErasureModule, ErasureWorkModule } from './erasure.module.js';
