import { Module } from '@nestjs/common';
import { EpochsModule } from '#epochs';
import { EpochsController } from './epochs.controller.js';

@Module({ imports: [EpochsModule], controllers: [EpochsController] })
export class EpochsRoutesModule {}
