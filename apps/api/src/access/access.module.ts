import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Refusals, Traces } from '#access';
import { Clock } from '#kernel';
import { Ledger } from '#ledger';
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
    { provide: Refusals, useFactory: (ledger: Ledger) => new Refusals(ledger), inject: [Ledger] },
    { provide: APP_GUARD, useClass: TokenGuard },
    { provide: APP_GUARD, useClass: RateLimitGuard },
    { provide: APP_GUARD, useClass: PurposeGuard },
    { provide: APP_GUARD, useClass: UndeclaredInput },
  ],
  exports: [Traces],
})
export class AccessModule {}
