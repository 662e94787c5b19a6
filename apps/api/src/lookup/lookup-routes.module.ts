import { Module } from '@nestjs/common';
import { LookupModule } from '#lookup';
import { SearchController } from './search.controller.js';

@Module({ imports: [LookupModule], controllers: [SearchController] })
export class LookupRoutesModule {}
