import { Module } from '@nestjs/common';
import { CompaniesModule } from '#companies';
import { CompaniesController } from './companies.controller.js';

@Module({ imports: [CompaniesModule], controllers: [CompaniesController] })
export class CompaniesRoutesModule {}
