import { Module } from '@nestjs/common';
import { Lookup, LookupModule } from '#lookup';
import { Health } from '#observability';
import { SystemModule } from '../system/system.module.js';
import { SearchController } from './search.controller.js';

@Module({ imports: [LookupModule, SystemModule], controllers: [SearchController] })
export class LookupRoutesModule {
  constructor(lookup: Lookup, health: Health) {
    let warming = true;
    void lookup.settled().then(() => (warming = false));
    // Once only, and not where something is unreadable: all apis would be as bad, and there must be some that answer everything else.
    health.register('lookup', async () => (warming ? { because: 'warming' } : undefined));
  }
}
