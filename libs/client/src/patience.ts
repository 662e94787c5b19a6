import { ApiProblem, NoAnswer } from './problem.js';

/** How long a request is sent again. Every repeat of a command carries the key of the first, so that it is done once. */
export interface Patience {
  /** No attempt begins later than this after the first. */
  readonly giveUpAfterMs: number;
  /** Pauses between attempts where the API names none (`Retry-After`), in ms; the last one goes on. A random part is taken off. */
  readonly pausesMs: readonly number[];
}

/** What a client does unless it is told otherwise. */
export const PATIENT: Patience = { giveUpAfterMs: 30_000, pausesMs: [250, 500, 1_000, 2_000, 4_000] };

/** One attempt, whatever comes of it. */
export const ONCE: Patience = { giveUpAfterMs: 0, pausesMs: [] };

/** Refusals that pass by themselves: the system is busy, starting, or still at work on the very same command. */
const PASSING_STATUS: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const PASSING_CODES: ReadonlySet<string> = new Set(['idempotency-in-progress', 'conflict']);

export type Passing = ApiProblem | NoAnswer;

/** Whether an error is one that waiting mends: the same call may succeed later. */
export const passes = (error: unknown): error is Passing =>
  error instanceof NoAnswer ||
  (error instanceof ApiProblem && (PASSING_STATUS.has(error.status) || PASSING_CODES.has(error.code)));

/**
 * Attempts something until it succeeds, fails with what waiting does not mend, or patience is at its end; then it throws
 * what the last attempt threw. `waiting` hears why each pause is made.
 */
export const patiently = async <T>(
  attempt: () => Promise<T>,
  patience: Patience,
  waiting: (because: Passing, pauseMs: number) => void,
  signal?: AbortSignal,
): Promise<T> => {
  const begun = performance.now();
  for (let attempts = 0; ; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      if (!passes(error)) throw error;
      const pauseMs = pauseAfter(error, attempts, patience);
      if (pauseMs === undefined || performance.now() - begun + pauseMs > patience.giveUpAfterMs) throw error;
      waiting(error, pauseMs);
      await pause(pauseMs, signal);
    }
  }
};

const pauseAfter = (error: Passing, attempts: number, { pausesMs }: Patience): number | undefined => {
  const asked = error instanceof ApiProblem ? error.retryAfterSeconds : undefined;
  if (asked !== undefined) return asked * 1_000;
  const pauseMs = pausesMs[Math.min(attempts, pausesMs.length - 1)];
  // Clients that were refused together do not come back together.
  return pauseMs === undefined ? undefined : pauseMs * (1 - Math.random() / 2);
};

/** Without Node's timers, so that the client also runs in a browser. */
const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const ended = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', ended);
      resolve();
    }, ms);
    signal?.addEventListener('abort', ended, { once: true });
  });
