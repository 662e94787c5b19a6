import { backupAfterSeal } from '#backup';
import { rootDestruction } from '#epochs';
import { erasureAttestation, erasureExecution } from '#erasure';
import type { Jobs } from '#jobs';
import type { Process } from '#projections';
import { retentionSweeps } from '#retention';

/** Every process manager of the system: one line each. */
export const processes = (jobs: Jobs): readonly Process[] => [
  erasureExecution(jobs),
  retentionSweeps(jobs),
  rootDestruction(jobs),
  backupAfterSeal(jobs),
  erasureAttestation(jobs),
];
