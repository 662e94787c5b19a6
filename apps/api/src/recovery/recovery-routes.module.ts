import { Module } from '@nestjs/common';
import { RecoveryModule } from '#recovery';
import { LossesController } from './losses.controller.js';

@Module({ imports: [RecoveryModule], controllers: [LossesController] })
export class RecoveryRoutesModule {}
