import type { Jobs } from '#jobs';
import { process } from '#projections';
import { destroyRoots } from './destroy-roots.job.js';
import { EpochSealed } from './epochs.events.js';

/** A moment after the date: the vault's clock is the one that counts. */
const AFTER_MS = 500;

/** Wakes the job on the date itself; the hourly run is there for when that is missed. */
export const rootDestruction = (jobs: Pick<Jobs, 'enqueue'>) =>
  process('root_destruction').on(EpochSealed, ({ eventId, at, data: { destroyAt } }) => {
    const delayMs = Math.max(0, Date.parse(destroyAt) - at.getTime()) + AFTER_MS;
    return jobs.enqueue(destroyRoots, {}, { jobId: eventId, delayMs });
  });
