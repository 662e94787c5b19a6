import { Module } from '@nestjs/common';
import { GetCompanyCardHandler } from './company-card.query.js';
import { RectifyCompanyHandler } from './rectify-company.js';
import { RegisterCompanyHandler } from './register-company.js';

/** Companies. Needs from outside: Ledger, Policy, Disclosure and the database of the read models (`Kysely`). */
@Module({ providers: [RegisterCompanyHandler, RectifyCompanyHandler, GetCompanyCardHandler] })
export class CompaniesModule {}
