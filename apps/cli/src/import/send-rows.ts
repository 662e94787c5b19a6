import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from '../client/api-client.js';
import { ApiProblem } from '../client/api-client.js';
import { Refusal } from '../refusal.js';
import type { RowResult, SendRows } from './import-file.js';

/** How long a batch is sent again before the import gives up, and the pauses between. */
export interface Patience {
  readonly giveUpAfterMs: number;
  readonly pausesMs: readonly number[];
}

const PATIENCE: Patience = { giveUpAfterMs: 120_000, pausesMs: [250, 500, 1_000, 2_000, 4_000] };
/** A batch that takes longer met a process that hangs; sending it again adds nothing twice. */
const ANSWER_WITHIN_MS = 60_000;

/** Refusals that pass: the system is busy, starting, or still at work on the very same batch. */
const PASSING_STATUS: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const PASSING_CODES: ReadonlySet<string> = new Set(['idempotency-in-progress', 'conflict']);

/**
 * Sends batches of rows, each under one idempotency key for as long as it takes: an api that restarts, is busy or is not
 * there is waited for. Throws Refusal after two minutes without success, and at once ApiProblem for what waiting does not
 * mend. `patience` is for specs.
 */
export const sendRows =
  (api: ApiClient, purpose: string, waiting: (reason: string) => void, patience = PATIENCE): SendRows =>
  async (kind, body) => {
    const idempotencyKey = randomUUID();
    const begun = performance.now();
    for (let attempt = 0; ; attempt++) {
      try {
        const options = { purpose, idempotencyKey, timeoutMs: ANSWER_WITHIN_MS };
        const answer = await api.post<{ results: RowResult[] }>(`/v1/imports/${kind}/rows`, body, options);
        return answer.body.results;
      } catch (error) {
        const reason = passing(error);
        if (reason === undefined) throw error;
        const asked = error instanceof ApiProblem ? error.retryAfterSeconds : undefined;
        const pause =
          asked === undefined ? patience.pausesMs[Math.min(attempt, patience.pausesMs.length - 1)]! : asked * 1_000;
        if (performance.now() - begun + pause > patience.giveUpAfterMs)
          throw new Refusal(
            `The rows from line ${body.rows[0]?.line} on were not taken for ${Math.round(patience.giveUpAfterMs / 1_000)} s: ${reason}`,
            'Look at `makuler status`, then run the same import again: what came in is not added twice.',
          );
        waiting(reason);
        await sleep(pause);
      }
    }
  };

/** Why a batch was not taken, if that passes by itself. */
const passing = (error: unknown): string | undefined => {
  if (error instanceof Refusal) return error.message;
  if (!(error instanceof ApiProblem)) return undefined;
  return PASSING_STATUS.has(error.status) || PASSING_CODES.has(error.code) ? error.message : undefined;
};
