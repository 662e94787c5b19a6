import type { Jobs } from '#jobs';
import { process } from '#projections';
import { ServiceCaseAdvanced } from '#service';
import { SweepApproved, SweepRequested } from './retention.events.js';
import { endDeferral, retentionSweep } from './sweep.jobs.js';

/** Turns sweeps that may go on into jobs, and looks after the erased when a case of theirs is closed. */
export const retentionSweeps = (jobs: Pick<Jobs, 'enqueue'>) => {
  const run = ({ eventId, data }: { eventId: string; data: { sweepId: string } }) =>
    jobs.enqueue(retentionSweep, { sweepId: data.sweepId }, { jobId: eventId });
  return process('retention_sweeps')
    .on(SweepRequested, run)
    .on(SweepApproved, run)
    .on(ServiceCaseAdvanced, async ({ eventId, stream, data }) => {
      if (data.status !== 'closed') return;
      await jobs.enqueue(endDeferral, { partition: stream.slice('service-'.length) }, { jobId: eventId });
    });
};
