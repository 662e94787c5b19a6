import { Module } from '@nestjs/common';
import { ErasureModule } from '#erasure';
import { ErasuresController } from './erasures.controller.js';
import { JwksController } from './jwks.controller.js';

@Module({ imports: [ErasureModule], controllers: [ErasuresController, JwksController] })
export class ErasureRoutesModule {}
