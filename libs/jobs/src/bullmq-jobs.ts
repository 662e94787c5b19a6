import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { MakulerError, isId } from '#kernel';
import { translateError } from '#postgres';
import type { BackendQueue, JobBackend } from './backend.js';
import type { Job, PayloadFields, PayloadOf } from './job.js';
import { problemsOfPayload } from './job.js';
import type { EnqueueOptions, JobCounts, Schedule } from './jobs.js';
import { Jobs } from './jobs.js';

const DAY_S = 86_400;
/** BullMQ keeps what it is asked until Redis is back, however long that takes; nobody here waits longer than this. */
const PATIENCE_MS = 5_000;

/** What BullMQ is told about every job: how often, how long it is remembered, and to keep no stack traces. */
const optionsOf = (job: Job) => ({
  attempts: job.options.attempts,
  backoff: { type: 'custom' },
  removeOnComplete: { age: 7 * DAY_S, count: 10_000 },
  // A job that has failed for good is evidence; whoever looks after it finds it for a month.
  removeOnFail: { age: 30 * DAY_S },
  stackTraceLimit: 0,
});

/** Puts jobs into BullMQ's queues: one queue for each kind of job. */
export class BullJobs extends Jobs {
  readonly #queues = new Map<string, BackendQueue>();

  constructor(private readonly backend: JobBackend) {
    super();
  }

  async enqueue<F extends PayloadFields>(
    job: Job<F>,
    payload: PayloadOf<F>,
    options: EnqueueOptions = {},
  ): Promise<string> {
    assertPayload(job, payload);
    const { jobId = randomUUID(), delayMs } = options;
    if (options.jobId !== undefined && !isId(jobId)) throw new Error(`${job.name}: a job id is a random UUIDv7`);
    const settings = { ...optionsOf(job), jobId, ...(delayMs === undefined ? {} : { delay: delayMs }) };
    await this.#ask(job, (queue) => queue.add(job.name, payload, settings));
    return jobId;
  }

  async schedule<F extends PayloadFields>(job: Job<F>, payload: PayloadOf<F>, { cron }: Schedule): Promise<void> {
    assertPayload(job, payload);
    const template = { name: job.name, data: payload, opts: optionsOf(job) };
    await this.#ask(job, (queue) => queue.upsertJobScheduler(job.name, { pattern: cron, tz: 'Europe/Oslo' }, template));
  }

  async isScheduled(job: Job): Promise<boolean> {
    return (await this.#ask(job, (queue) => queue.getJobScheduler(job.name))) !== undefined;
  }

  async counts(job: Job): Promise<JobCounts> {
    const found = await this.#ask(job, (queue) => queue.getJobCounts('waiting', 'active', 'delayed', 'failed'));
    const { waiting = 0, active = 0, delayed = 0, failed = 0 } = found;
    return { waiting, active, delayed, failed };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
  }

  async #ask<T>(job: Job, question: (queue: BackendQueue) => Promise<T>): Promise<T> {
    try {
      return await within(PATIENCE_MS, question(this.#queue(job.name)));
    } catch (error) {
      const translated = translateError(error);
      if (translated instanceof Error) throw translated;
      throw error;
    }
  }

  #queue(name: string): BackendQueue {
    let queue = this.#queues.get(name);
    if (!queue) {
      queue = this.backend.queue(name);
      // BullMQ repeats here what the call itself rejects with.
      queue.on('error', () => undefined);
      this.#queues.set(name, queue);
    }
    return queue;
  }
}

/** Throws `queue-unavailable`; whatever was asked may still happen later, which at-least-once allows. */
const within = async <T>(ms: number, answer: Promise<T>): Promise<T> => {
  const inTime = new AbortController();
  const late = delay(ms, undefined, { signal: inTime.signal }).then(() => {
    throw new MakulerError('queue-unavailable');
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    inTime.abort();
    late.catch(() => undefined);
    answer.catch(() => undefined);
  }
};

const assertPayload = (job: Job<any>, payload: unknown): void => {
  const problems = problemsOfPayload(job, payload);
  if (problems.length > 0) throw new MakulerError('internal', { detail: `A job was refused: ${problems.join('; ')}.` });
};
