import { Module } from '@nestjs/common';
import { GetPurchaseHandler, ListPurchasesHandler } from './purchase-history.query.js';
import { RecordPurchaseHandler } from './record-purchase.js';

/** Purchases. Needs from outside: Ledger, Policy, Clock, Disclosure and the database of the read models (`Kysely`). */
@Module({ providers: [RecordPurchaseHandler, GetPurchaseHandler, ListPurchasesHandler] })
export class PurchasesModule {}
