import { Module } from '@nestjs/common';
import { CustomersModule } from '#customers';
import { CustomersController } from './customers.controller.js';

@Module({ imports: [CustomersModule], controllers: [CustomersController] })
export class CustomersRoutesModule {}
