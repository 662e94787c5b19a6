import { Module } from '@nestjs/common';
import { EpochsModule } from '#epochs';
import { EpochsController } from './epochs.controller.js';
import { MirrorsController } from './mirrors.controller.js';

@Module({ imports: [EpochsModule], controllers: [EpochsController, MirrorsController] })
export class EpochsRoutesModule {}
