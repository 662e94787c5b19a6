import { eventRegistry } from '#composition';
import { SystemClock } from '#kernel';
import type { Ledger } from '#ledger';
import { EventStoreDb, EventStoreLedger } from '#ledger';
import type { Vault } from '#vault';
import type { Store } from './stores.js';

/** A ledger as the api has one: all events that there are, unless `registry` says otherwise. */
export const ledgerOver = (store: Store, vault: Vault, registry = eventRegistry()): Ledger =>
  new EventStoreLedger({
    ...{ store: new EventStoreDb(store.url), vault, registry },
    ...{ clock: new SystemClock(), policyVersion: () => 'bench' },
  });
