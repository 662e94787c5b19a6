import { Module } from '@nestjs/common';
import { GetFiguresHandler } from './analytics.query.js';

/** What analysts ask. Needs from outside: Policy and the database of the read models (`Kysely`). */
@Module({ providers: [GetFiguresHandler] })
export class AnalyticsModule {}
