import { Module } from '@nestjs/common';
import { ChangeRelationshipHandler } from './change-relationship.js';
import { GetCustomerCardHandler } from './customer-card.query.js';
import { RectifyCustomerHandler } from './rectify-customer.js';
import { RegisterCustomerHandler } from './register-customer.js';

/** Customers and leads. Needs from outside: Ledger, Policy, Disclosure and the database of the read models (`Kysely`). */
@Module({
  providers: [RegisterCustomerHandler, RectifyCustomerHandler, ChangeRelationshipHandler, GetCustomerCardHandler],
})
export class CustomersModule {}
