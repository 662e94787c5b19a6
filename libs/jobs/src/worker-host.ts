import { setTimeout as delay } from 'node:timers/promises';
import type { Job as BullJob } from 'bullmq';
import { DelayedError } from 'bullmq';
import { codeOf, correlated, framesOf, inSpan, isOutage } from '#kernel';
import type { BackendWorker, JobBackend } from './backend.js';
import { problemsOfPayload } from './job.js';
import type { JobProcessor, JobResult } from './jobs.js';

/** What happened to a job: names, ids, codes and places in the program. */
export interface JobNotice {
  readonly event: 'job.done' | 'job.failed' | 'job.postponed' | 'job.lost' | 'queue.error';
  readonly job: string;
  readonly jobId?: string;
  readonly attempt?: number;
  readonly code?: string;
  readonly frames?: readonly string[];
}

export interface WorkerHostOptions {
  readonly backend: JobBackend;
  readonly processors: readonly JobProcessor[];
  readonly notice?: (notice: JobNotice) => void;
  /**
   * A worker that has not renewed its hold on a job for this long is taken for dead, and the job is done again
   * (default 10 s; found within another quarter of it). A stopped process may wake up later: two attempts can overlap.
   */
  readonly lockMs?: number;
  /** How long `close` waits for jobs under way before it leaves them to the next worker. */
  readonly graceMs: number;
}

const HOUR_MS = 3_600_000;
const OUTAGE_MS = 2_000;

/** What BullMQ stores of a failure: a code, without a stack. */
class CodedFailure extends Error {
  constructor(code: string) {
    super(code);
    this.name = 'JobFailure';
    this.stack = '';
  }
}

/** Runs the processors of one process, each on a queue of its own. */
export class WorkerHost {
  readonly #stopping = new AbortController();
  readonly #notice: (notice: JobNotice) => void;
  readonly #underWay = new Set<Promise<unknown>>();
  #workers: BackendWorker[] = [];

  /** Throws when two processors do the same kind of job. */
  constructor(private readonly options: WorkerHostOptions) {
    const names = options.processors.map(({ job }) => job.name);
    if (new Set(names).size !== names.length) throw new Error('two processors do the same kind of job');
    this.#notice = options.notice ?? (() => undefined);
  }

  /** Resolves when every worker can take jobs. */
  async start(): Promise<void> {
    const { backend, processors, lockMs = 10_000 } = this.options;
    this.#workers = processors.map((processor) => {
      const { name, options } = processor.job;
      const worker = backend.worker(name, (job, token) => this.#track(this.#run(processor, job, token)), {
        concurrency: options.concurrency,
        lockDuration: lockMs,
        stalledInterval: lockMs / 4,
        // Being killed is not the job's fault, however often.
        maxStalledCount: 1_000_000,
        runRetryDelay: 500,
        settings: { backoffStrategy: (attempts) => Math.min(options.backoffMs * 2 ** (attempts - 1), HOUR_MS) },
      });
      worker.on('error', (error) =>
        this.#notice({ event: 'queue.error', job: name, code: codeOf(error), frames: framesOf(error) }),
      );
      worker.on('stalled', (jobId) => this.#notice({ event: 'job.lost', job: name, jobId }));
      return worker;
    });
    await Promise.all(this.#workers.map((worker) => worker.waitUntilReady()));
  }

  /** Takes no more jobs, tells those under way to end, waits for them a while. What does not end in time is repeated elsewhere. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#workers.map((worker) => worker.pause(true)));
    const { graceMs } = this.options;
    const late = new AbortController();
    await Promise.race([
      Promise.allSettled(this.#underWay),
      delay(graceMs, undefined, { signal: late.signal }).catch(() => undefined),
    ]);
    late.abort();
    await Promise.all(this.#workers.map((worker) => worker.close(this.#underWay.size > 0)));
  }

  #track<T>(run: Promise<T>): Promise<T> {
    const tracked = run.finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
    return tracked;
  }

  /** Every line logged on the way says which job it was. */
  #run(processor: JobProcessor, job: BullJob, token: string | undefined): Promise<JobResult> {
    const about = { job: processor.job.name, jobId: job.id ?? '' };
    return correlated(about, () => this.#attempt(processor, job, token, { ...about, attempt: job.attemptsMade + 1 }));
  }

  async #attempt(
    processor: JobProcessor,
    job: BullJob,
    token: string | undefined,
    about: { readonly job: string; readonly jobId: string; readonly attempt: number },
  ): Promise<JobResult> {
    const { jobId, attempt } = about;
    try {
      if (problemsOfPayload(processor.job, job.data).length > 0) throw new CodedFailure('invalid-input');
      // Its number in the queue is in the log, not in the trace: the queue's tables say whom a job is about.
      const result = await inSpan(
        { name: `job ${about.job}`, kind: 'consumer', attributes: { 'makuler.attempt': attempt } },
        () => processor.process(job.data, { jobId, attempt, signal: this.#stopping.signal }),
      );
      this.#notice({ event: 'job.done', ...about });
      return countsOf(result);
    } catch (error) {
      const code = error instanceof CodedFailure ? error.message : codeOf(error);
      if (isOutage(error) || this.#stopping.signal.aborted) {
        this.#notice({ event: 'job.postponed', ...about, code });
        // Put back without counting: what is away now is not the job's fault.
        await job.moveToDelayed(Date.now() + (this.#stopping.signal.aborted ? 0 : OUTAGE_MS), token);
        throw new DelayedError();
      }
      this.#notice({ event: 'job.failed', ...about, code, frames: framesOf(error) });
      throw new CodedFailure(code);
    }
  }
}

/** Results stand in the queue's tables like payloads: whole numbers only. */
const countsOf = (result: JobResult): Record<string, number> =>
  Object.fromEntries(Object.entries(result ?? {}).filter(([, value]) => Number.isInteger(value)));
