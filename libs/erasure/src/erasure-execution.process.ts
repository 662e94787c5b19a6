import type { Jobs } from '#jobs';
import { process } from '#projections';
import { ErasureExecutionRequested } from './erasure.events.js';
import { executeErasure } from './execute-erasure.job.js';

/** Turns the request for an execution into a job. The log is the truth: a queue that was lost is filled again from it. */
export const erasureExecution = (jobs: Pick<Jobs, 'enqueue'>) =>
  process('erasure_execution').on(ErasureExecutionRequested, ({ eventId, data: { ownerKind, ownerId, erasureId } }) =>
    jobs.enqueue(executeErasure, { ownerKind, ownerId, erasureId }, { jobId: eventId }),
  );
