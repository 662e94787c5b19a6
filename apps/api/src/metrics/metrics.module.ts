import { Module } from '@nestjs/common';
import { ErasureModule } from '#erasure';
import { MeasuredBuses } from './measured-buses.js';
import { MetricsController } from './metrics.controller.js';
import { SystemMetrics, SystemReadModels } from './system-metrics.js';

/** `GET /metrics`, and what is measured for it. */
@Module({
  imports: [ErasureModule],
  controllers: [MetricsController],
  providers: [MeasuredBuses, SystemMetrics, SystemReadModels],
})
export class MetricsModule {}
