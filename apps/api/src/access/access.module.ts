import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { Inject, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { REFUSAL_WINDOW_MS, Refusals, Traces } from '#access';
import { LOGGER } from '#composition';
import { Clock } from '#kernel';
import { Ledger } from '#ledger';
import type { Logger } from '#observability';
import { PurposeGuard } from './purpose.guard.js';
import { RateLimitGuard } from './rate-limit.guard.js';
import { UndeclaredInput } from '../http/undeclared-input.guard.js';
import { TokenGuard } from './token.guard.js';

/** Who may call, and for which purpose. The order of the guards is the order of the questions. */
@Module({
  providers: [
    {
      provide: Traces,
      useFactory: (ledger: Ledger, clock: Clock) => new Traces(ledger, clock),
      inject: [Ledger, Clock],
    },
    {
      provide: Refusals,
      useFactory: (ledger: Ledger, clock: Clock) => new Refusals(ledger, clock),
      inject: [Ledger, Clock],
    },
    { provide: APP_GUARD, useClass: TokenGuard },
    { provide: APP_GUARD, useClass: RateLimitGuard },
    { provide: APP_GUARD, useClass: PurposeGuard },
    { provide: APP_GUARD, useClass: UndeclaredInput },
  ],
  exports: [Traces],
})
export class AccessModule implements OnApplicationBootstrap, OnApplicationShutdown {
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly refusals: Refusals,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => void this.#flush(), REFUSAL_WINDOW_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.#flush({ all: true });
  }

  async #flush(which?: { all: boolean }): Promise<void> {
    await this.refusals
      .flush(which)
      .catch((error: unknown) => this.logger.warn(error, 'refused calls are not written down yet'));
  }
}
