import { Module } from '@nestjs/common';
import { ServiceModule } from '#service';
import { ServiceCasesController } from './service-cases.controller.js';

@Module({ imports: [ServiceModule], controllers: [ServiceCasesController] })
export class ServiceRoutesModule {}
