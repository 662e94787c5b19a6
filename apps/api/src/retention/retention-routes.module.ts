import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { RetentionModule } from '#retention';
import { ClockController } from './clock.controller.js';
import { PlausibleClock } from './clock.guard.js';
import { HoldingsController } from './holdings.controller.js';
import { RetentionController } from './retention.controller.js';

@Module({
  imports: [RetentionModule],
  controllers: [HoldingsController, RetentionController, ClockController],
  providers: [{ provide: APP_GUARD, useClass: PlausibleClock }],
})
export class RetentionRoutesModule {}
