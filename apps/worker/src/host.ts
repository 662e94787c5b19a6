import { NestFactory } from '@nestjs/core';
import type { Parts } from '#composition';
import type { JobBackend, JobProcessor } from '#jobs';
import { BullJobs, WorkerHost } from '#jobs';
import { DRAIN_MS } from '#observability';
import type { Work } from './jobs.js';
import { Schedules } from './schedules.js';
import { WorkerModule } from './worker.module.js';

/** A running worker. */
export interface Host {
  stop(): Promise<void>;
}

/** Takes jobs until it is stopped. */
export const host = async (parts: Parts, backend: JobBackend, work: Work): Promise<Host> => {
  await backend.prepare();
  const jobs = new BullJobs(backend);
  const app = await NestFactory.createApplicationContext(WorkerModule.of(parts, jobs, work), {
    // Nest's own lines quote messages of errors; ours go through the redacting logger.
    logger: false,
    abortOnError: false,
  });
  const processors = work.processors.map((processor) => app.get<JobProcessor>(processor, { strict: false }));
  const workers = new WorkerHost({
    backend,
    processors,
    graceMs: DRAIN_MS,
    notice: ({ event, ...facts }) =>
      event === 'job.done' ? parts.logger.info(facts, event) : parts.logger.warn(facts, event),
  });
  await workers.start();
  parts.metrics.onScrape(['makuler_jobs'], async () => {
    for (const { job } of processors)
      for (const [state, count] of Object.entries(await jobs.counts(job)))
        parts.metrics.set('makuler_jobs', count, { queue: job.name, state });
  });
  const schedules = new Schedules({
    ...{ jobs, work },
    notice: ({ event, ...facts }) => parts.logger.warn(facts, event),
  });
  await schedules.start();
  const stop = async () => {
    await schedules.stop();
    await workers.close();
    await app.close();
    await jobs.close();
    await backend.close();
  };
  return { stop };
};
