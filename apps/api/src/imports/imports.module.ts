import type { OnApplicationBootstrap } from '@nestjs/common';
import { Inject, Module } from '@nestjs/common';
import { CONTROL } from '#composition';
import { CustomersModule } from '#customers';
import { Clock } from '#kernel';
import { Ledger } from '#ledger';
import { Lookup, LookupModule } from '#lookup';
import type { Pool } from '#postgres';
import { migrate } from '#postgres';
import { ImportRows } from './import-rows.js';
import { IMPORT_MIGRATIONS, ImportState } from './import-state.js';
import { ImportsController } from './imports.controller.js';

@Module({
  imports: [LookupModule, CustomersModule],
  controllers: [ImportsController],
  providers: [
    {
      provide: ImportState,
      useFactory: (pool: Pool, clock: Clock) => new ImportState(pool, clock),
      inject: [CONTROL, Clock],
    },
    {
      provide: ImportRows,
      useFactory: (ledger: Ledger, lookup: Lookup, state: ImportState) => new ImportRows(ledger, lookup, state),
      inject: [Ledger, Lookup, ImportState],
    },
  ],
})
export class ImportsModule implements OnApplicationBootstrap {
  constructor(
    @Inject(CONTROL) private readonly control: Pool,
    private readonly state: ImportState,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await migrate(this.control, 'imports', IMPORT_MIGRATIONS);
    await this.state.forgetOld();
  }
}
