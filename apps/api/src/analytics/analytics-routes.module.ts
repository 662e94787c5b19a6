import { Module } from '@nestjs/common';
import { AnalyticsModule } from '#analytics';
import { AnalyticsController } from './analytics.controller.js';

@Module({ imports: [AnalyticsModule], controllers: [AnalyticsController] })
export class AnalyticsRoutesModule {}
