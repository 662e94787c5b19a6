import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from '#kernel';
import type { Job, Jobs } from '#jobs';
import type { Work } from './jobs.js';

/** What was found: names of events and codes. */
export type ScheduleNotice =
  { readonly event: 'queue.refilled' } | { readonly event: 'queue.unwatched'; readonly code: string };

export interface SchedulesOptions {
  readonly jobs: Pick<Jobs, 'schedule' | 'isScheduled' | 'enqueue'>;
  readonly work: Pick<Work, 'schedules' | 'resumes'>;
  readonly notice: (notice: ScheduleNotice) => void;
  /** How often is looked whether the queues still hold what was put there (default 5 s). */
  readonly everyMs?: number;
}

/**
 * Keeps the schedules in the queues. A store of queues can come back empty (a Redis without its disk, a failover to a replica
 * that had nothing yet): then schedules are gone, and jobs that were waiting. The log, not the queue, is the truth, so the
 * schedules are put back, and the work's `resumes` look in the log for orders that nobody carries out any more.
 */
export class Schedules {
  readonly #stopping = new AbortController();
  #watching: Promise<void> = Promise.resolve();

  constructor(private readonly options: SchedulesOptions) {}

  /** Puts everything on its schedule, and watches from then on. Throws `queue-unavailable`, `database-unavailable`. */
  async start(): Promise<void> {
    const mark = this.#mark();
    // Before the schedules: a store that was emptied while no worker ran is found too.
    const emptied = mark !== undefined && !(await this.options.jobs.isScheduled(mark));
    if (emptied) await this.#resume();
    await this.#schedule();
    if (mark) this.#watching = this.#watch(mark);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
  }

  /** The schedule that is put down last: while it is there, nothing of what was put down before it is missing. */
  #mark(): Job | undefined {
    return this.options.work.schedules.at(-1)?.job;
  }

  async #watch(mark: Job): Promise<void> {
    const { jobs, notice, everyMs = 5_000 } = this.options;
    const { signal } = this.#stopping;
    for (;;) {
      await delay(everyMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        if (await jobs.isScheduled(mark)) continue;
        // The mark is put back last: whoever dies in between leaves it missing, and the next look begins anew.
        await this.#resume();
        await this.#schedule();
        notice({ event: 'queue.refilled' });
      } catch (error) {
        notice({ event: 'queue.unwatched', code: codeOf(error) });
      }
    }
  }

  async #schedule(): Promise<void> {
    const { jobs, work } = this.options;
    for (const { job, payload, cron } of work.schedules) await jobs.schedule(job, payload, { cron });
  }

  async #resume(): Promise<void> {
    const { jobs, work } = this.options;
    for (const job of work.resumes) await jobs.enqueue(job, {});
  }
}
