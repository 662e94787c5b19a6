import { Module } from '@nestjs/common';
import { AddServiceNoteHandler } from './add-service-note.js';
import { AdvanceServiceCaseHandler } from './advance-service-case.js';
import { OpenServiceCaseHandler } from './open-service-case.js';
import { GetServiceCaseHandler, ListServiceCasesHandler } from './service-cases.query.js';

/** Service cases. Needs from outside: Ledger, Policy, Clock, Disclosure and the database of the read models (`Kysely`). */
@Module({
  providers: [
    OpenServiceCaseHandler,
    AdvanceServiceCaseHandler,
    AddServiceNoteHandler,
    GetServiceCaseHandler,
    ListServiceCasesHandler,
  ],
})
export class ServiceModule {}
