export { code, count, defineJob, flag, id, instant, nullable } from './job.js';
export type { Job, JobOptions, PayloadField, PayloadFields, PayloadOf } from './job.js';
export { JobProcessor, Jobs } from './jobs.js';
export type { EnqueueOptions, JobCounts, JobResult, JobRun, Schedule } from './jobs.js';
export { JobBackend, jobBackend } from './backend.js';
export { redisUrl } from './redis-address.js';
export { BullJobs } from './bullmq-jobs.js';
export { WorkerHost } from './worker-host.js';
export type { JobNotice, WorkerHostOptions } from './worker-host.js';
