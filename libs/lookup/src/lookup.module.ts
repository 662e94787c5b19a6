import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { Kysely } from 'kysely';
import { Ledger } from '#ledger';
import { ProjectionStates } from '#projections';
import { Vault } from '#vault';
import { Cards } from './cards.js';
import { Lookup } from './lookup.js';
import { SearchCustomersHandler } from './search-customers.js';

/** Provide a function under this token to hear why an index of persons begins anew. */
export const LOOKUP_INTERRUPTED = Symbol('lookup-interrupted');
export type LookupInterrupted = (error: unknown) => void;

/**
 * The index of persons of this process. Needs from outside: Ledger, Vault, Disclosure, ProjectionStates and the database of the read
 * models.
 */
@Module({
  providers: [
    {
      provide: Lookup,
      useFactory: (
        ledger: Ledger,
        vault: Vault,
        readModels: Kysely<any>,
        states: ProjectionStates,
        interrupted?: LookupInterrupted,
      ) =>
        new Lookup({
          ...{ ledger, vault, cards: new Cards(readModels, states, ledger) },
          ...(interrupted ? { interrupted } : {}),
        }),
      inject: [Ledger, Vault, Kysely, ProjectionStates, { token: LOOKUP_INTERRUPTED, optional: true }],
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
