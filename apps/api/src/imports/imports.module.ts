import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { Inject, Module } from '@nestjs/common';
import { CONTROL, LOGGER } from '#composition';
import { CustomersModule } from '#customers';
import { Clock } from '#kernel';
import { Ledger } from '#ledger';
import { Lookup, LookupModule } from '#lookup';
import type { Logger } from '#observability';
import type { Pool } from '#postgres';
import { migrate } from '#postgres';
import { ClockGuard } from '#retention';
import { ImportRows } from './import-rows.js';
import { IMPORT_MIGRATIONS, ImportState } from './import-state.js';
import { ImportsController } from './imports.controller.js';

const HOUR_MS = 3_600_000;

/** The routes of imports, and what they remember between batches. */
@Module({
  imports: [LookupModule, CustomersModule],
  controllers: [ImportsController],
  providers: [
    ClockGuard,
    {
      provide: ImportState,
      useFactory: (pool: Pool, clock: Clock, guard: ClockGuard) => new ImportState(pool, clock, guard),
      inject: [CONTROL, Clock, ClockGuard],
    },
    {
      provide: ImportRows,
      useFactory: (ledger: Ledger, lookup: Lookup, state: ImportState) => new ImportRows(ledger, lookup, state),
      inject: [Ledger, Lookup, ImportState],
    },
  ],
})
export class ImportsModule implements OnApplicationBootstrap, OnApplicationShutdown {
  #timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(CONTROL) private readonly control: Pool,
    private readonly state: ImportState,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await migrate(this.control, 'imports', IMPORT_MIGRATIONS);
    // Not waited for: it asks the log about the clock, and the api starts while the log is away.
    void this.#forgetOld();
    this.#timer = setInterval(() => void this.#forgetOld(), HOUR_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.#timer);
  }

  async #forgetOld(): Promise<void> {
    await this.state
      .forgetOld()
      .catch((error: unknown) => this.logger.warn(error, 'old rows of imports stay another hour'));
  }
}
