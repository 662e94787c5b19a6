import type { MakulerClient, Patience } from '#client';
import { passes } from '#client';
import { Refusal } from '../refusal.js';
import type { SendRows } from './import-file.js';

/**
 * How long a batch is sent again before the import gives up, and the pauses between: for the client that it is sent by. An api that was
 * just started reads the whole log first, for the keys of sources: a million events in some minutes.
 */
export const IMPORT_PATIENCE: Patience = { giveUpAfterMs: 600_000, pausesMs: [250, 500, 1_000, 2_000, 4_000] };

/**
 * Sends batches of rows, each under one idempotency key for as long as it takes: an api that restarts, is busy or is not
 * there is waited for, as patiently as the client is. Then throws Refusal; at once ApiProblem for what waiting does not mend.
 */
export const sendRows =
  (api: MakulerClient, purpose: string): SendRows =>
  async (kind, body) => {
    const begun = performance.now();
    try {
      return (await api.post('/v1/imports/{kind}/rows', { path: { kind }, body, purpose })).body.results;
    } catch (error) {
      if (!passes(error)) throw error;
      const seconds = Math.round((performance.now() - begun) / 1_000);
      throw new Refusal(
        `The rows from line ${body.rows[0]?.line} on were not taken for ${seconds} s: ${error.message}`,
        'Look at `makuler status`, then run the same import again: what came in is not added twice.',
      );
    }
  };
