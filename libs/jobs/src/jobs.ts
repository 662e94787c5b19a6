import type { Job, PayloadFields, PayloadOf } from './job.js';

export interface EnqueueOptions {
  /**
   * Names the job, so that enqueueing it again while it is remembered does nothing: a random id such as the id of the event
   * that caused it. Without one, a random id is drawn.
   */
  readonly jobId?: string;
  /** Not before this many milliseconds from now. */
  readonly delayMs?: number;
}

/** A repeated job: a cron expression, read in Europe/Oslo. */
export interface Schedule {
  /** Five or six fields, e.g. `15 2 * * *`: every night at 02:15, also on the two days with 23 and 25 hours. */
  readonly cron: string;
}

/** Counts of one kind of job, for health and metrics. */
export interface JobCounts {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
}

/**
 * Where jobs are put. What was enqueued is done at least once and survives any crash of ours; a store may be lost all the same
 * (Redis is no database), so whatever must be done stands in the log too, and `apps/worker/src/schedules.ts` puts it back.
 * Everything here throws `database-unavailable` or `queue-unavailable`.
 */
export abstract class Jobs {
  /** Refuses a payload with anything that its declaration does not admit. Gives the job id. */
  abstract enqueue<F extends PayloadFields>(
    job: Job<F>,
    payload: PayloadOf<F>,
    options?: EnqueueOptions,
  ): Promise<string>;
  /** Puts a job on a schedule, or changes it. The same for every process that says it: one run a time, not one per process. */
  abstract schedule<F extends PayloadFields>(job: Job<F>, payload: PayloadOf<F>, schedule: Schedule): Promise<void>;
  /** False before the first `schedule`, and after the store has lost what it held. */
  abstract isScheduled(job: Job): Promise<boolean>;
  abstract counts(job: Job): Promise<JobCounts>;
  abstract close(): Promise<void>;
}

/** What one attempt may know about itself. */
export interface JobRun {
  readonly jobId: string;
  /** From 1. */
  readonly attempt: number;
  /** Aborted when the process is asked to stop: long work ends at the next safe place and is repeated by another process. */
  readonly signal: AbortSignal;
}

/** Counts for the record of the run; never a text. */
export type JobResult = Readonly<Record<string, number>> | void;

/** Does one kind of job. A class with Nest's injection, named in `apps/worker/src/jobs.ts`. */
export abstract class JobProcessor<F extends PayloadFields = any> {
  abstract readonly job: Job<F>;
  /**
   * Does the work, or the rest of it when an earlier attempt was killed. A MakulerError keeps its code, any other error
   * becomes `internal`: messages and stacks are not stored.
   */
  abstract process(payload: PayloadOf<F>, run: JobRun): Promise<JobResult>;
}
