import { Module } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { CONTROL } from '#composition';
import { Clock } from '#kernel';
import type { Pool } from '#postgres';
import { ClockGuard } from '#retention';
import { CommandInterceptor } from './command.interceptor.js';
import { IdempotencySecrets } from './idempotency-secrets.js';
import { IdempotencyUpkeep } from './idempotency-upkeep.js';
import { Idempotency } from './idempotency.js';

/** How commands are run: once for each key, in their context. */
@Module({
  providers: [
    ClockGuard,
    {
      provide: IdempotencySecrets,
      useFactory: (pool: Pool, clock: Clock, guard: ClockGuard) => new IdempotencySecrets(pool, clock, guard),
      inject: [CONTROL, Clock, ClockGuard],
    },
    {
      provide: Idempotency,
      useFactory: (pool: Pool, secrets: IdempotencySecrets, clock: Clock) => new Idempotency(pool, secrets, clock),
      inject: [CONTROL, IdempotencySecrets, Clock],
    },
    IdempotencyUpkeep,
    { provide: APP_INTERCEPTOR, useClass: CommandInterceptor },
  ],
})
export class CommandsModule {}
