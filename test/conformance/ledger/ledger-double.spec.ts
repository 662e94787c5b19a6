import { LedgerDouble } from '#testing';
import { describeLedger } from './ledger.suite.js';

describeLedger('LedgerDouble', async () => {
  const ledger = new LedgerDouble();
  return {
    ledger,
    shred: async (owner) => void ledger.shred(owner),
    outage: async (on) => void (ledger.vault.away = on),
    close: async () => undefined,
  };
});
