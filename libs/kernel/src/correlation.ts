import { AsyncLocalStorage } from 'node:async_hooks';

/** By what the lines of a log belong together: random ids of ours and names of jobs, never an id of a person or company. */
export interface Correlation {
  /** The request under way: what its answer says as `Makuler-Request-Id`. */
  readonly requestId?: string;
  /** The job under way, and which one of its kind. */
  readonly job?: string;
  readonly jobId?: string;
}

const storage = new AsyncLocalStorage<Correlation>();

/** Runs `work` so that every line logged in it, however deep, carries the correlation. */
export const correlated = <T>(correlation: Correlation, work: () => T): T => storage.run(correlation, work);

/** The correlation of the work under way; empty outside of any. */
export const currentCorrelation = (): Correlation => storage.getStore() ?? {};
