import { Module } from '@nestjs/common';
import { PurchasesModule } from '#purchases';
import { PurchasesController } from './purchases.controller.js';

@Module({ imports: [PurchasesModule], controllers: [PurchasesController] })
export class PurchasesRoutesModule {}
