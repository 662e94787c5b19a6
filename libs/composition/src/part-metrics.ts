import { isMakulerError } from '#kernel';
import type { EventStoreLedgerOptions } from '#ledger';
import type { Metrics } from '#observability';
import type { GrpcVault } from '#vault';

/** `ok`, or the code of the error: what a duration came to. */
export const outcomeOf = (error: unknown): string =>
  error === undefined ? 'ok' : isMakulerError(error) ? error.code : 'internal';

/** What the ledger tells of its appends, as numbers. */
export const appendsIn =
  (metrics: Metrics): NonNullable<EventStoreLedgerOptions['observe']> =>
  (what, seconds, error) => {
    if (what === 'seal') metrics.observe('makuler_seal_duration_seconds', seconds, {});
    else metrics.observe('makuler_append_duration_seconds', seconds, { outcome: outcomeOf(error) });
  };

/** The keys that this process holds, at each look. */
export const showKeys = (metrics: Metrics, vault: Pick<GrpcVault, 'cached'>): void => {
  let shown = { hits: 0, misses: 0 };
  metrics.onScrape(['makuler_vault_keys_cached'], async () => {
    const { keys, hits, misses } = vault.cached;
    metrics.set('makuler_vault_keys_cached', keys, {});
    metrics.count('makuler_vault_key_requests_total', hits - shown.hits, { result: 'held' });
    metrics.count('makuler_vault_key_requests_total', misses - shown.misses, { result: 'asked' });
    shown = { hits, misses };
  });
};
