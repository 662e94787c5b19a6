import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { Ledger } from '#ledger';
import { Vault } from '#vault';
import { lookupEntries } from './entries.js';
import { Lookup } from './lookup.js';
import { SearchCustomersHandler } from './search-customers.js';

/** The index of persons of this process. Needs from outside: Ledger, Vault, Disclosure and the database of the read models. */
@Module({
  providers: [
    {
      provide: Lookup,
      useFactory: (ledger: Ledger, vault: Vault) => new Lookup(ledger, vault, lookupEntries),
      inject: [Ledger, Vault],
    },
    SearchCustomersHandler,
  ],
  exports: [Lookup],
})
export class LookupModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(private readonly lookup: Lookup) {}

  onApplicationBootstrap(): void {
    this.lookup.start();
  }
  onApplicationShutdown(): Promise<void> {
    return this.lookup.close();
  }
}
