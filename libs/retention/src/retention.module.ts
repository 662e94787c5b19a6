import { Module } from '@nestjs/common';
import { CurrentHoldings } from './current-holdings.js';
import { Holdings } from './holdings.js';

/** Retention. Needs from outside: Ledger, Policy, ProjectionStates and the database of the read models (`Kysely`). */
@Module({ providers: [Holdings, CurrentHoldings], exports: [Holdings, CurrentHoldings] })
export class RetentionModule {}
