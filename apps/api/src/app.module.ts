import type { DynamicModule, Type } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { APP_FILTER, APP_PIPE, DiscoveryModule } from '@nestjs/core';
import { CqrsModule } from '@nestjs/cqrs';
import { ProjectionStates } from '#projections';
import type { Tokens } from '#tokens';
import type { Parts } from '#composition';
import { LOGGER, PartsModule } from '#composition';
import { Disclosure } from '#disclosure';
import { LOOKUP_INTERRUPTED } from '#lookup';
import type { Logger } from '#observability';
import { ReadingRules } from '#policy';
import { Holdings } from '#retention';
import { AccessModule } from './access/access.module.js';
import { AnalyticsRoutesModule } from './analytics/analytics-routes.module.js';
import { CachedTokens } from './access/cached-tokens.js';
import type { RateLimitSettings } from './access/rate-limits.js';
import { DEFAULT_RATE_LIMITS, RateLimits } from './access/rate-limits.js';
import { CommandsModule } from './commands/commands.module.js';
import { CompaniesRoutesModule } from './companies/companies-routes.module.js';
import { CustomersRoutesModule } from './customers/customers-routes.module.js';
import { BackupsRoutesModule } from './backups/backups-routes.module.js';
import { EpochsRoutesModule } from './epochs/epochs-routes.module.js';
import { ErasureRoutesModule } from './erasure/erasure-routes.module.js';
import { inputPipe } from './http/input.js';
import { ImportsModule } from './imports/imports.module.js';
import { LookupRoutesModule } from './lookup/lookup-routes.module.js';
import { ProblemFilter } from './http/problem.filter.js';
import { RouteRules } from './http/route-rules.js';
import type { EdgeTimeouts } from './http/timeouts.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { PurchasesRoutesModule } from './purchases/purchases-routes.module.js';
import { RecoveryRoutesModule } from './recovery/recovery-routes.module.js';
import { ReadsModule } from './reads/reads.module.js';
import { ServiceRoutesModule } from './service/service-routes.module.js';
import { RetentionRoutesModule } from './retention/retention-routes.module.js';
import { SystemModule } from './system/system.module.js';

/** What the api needs beside the parts that it shares with projector and worker. */
export interface ApiParts extends Parts {
  readonly tokens: Pick<Tokens, 'verify'>;
  readonly projections: ProjectionStates;
  /** Default: DEFAULT_RATE_LIMITS. */
  readonly rateLimits?: RateLimitSettings;
  /** Default: DEFAULT_TIMEOUTS. */
  readonly timeouts?: EdgeTimeouts;
}

/** The contexts' own modules, each with its controllers; a new context adds its line here. */
const CONTEXTS: readonly Type[] = [
  CompaniesRoutesModule,
  CustomersRoutesModule,
  PurchasesRoutesModule,
  ServiceRoutesModule,
  AnalyticsRoutesModule,
  LookupRoutesModule,
  ImportsModule,
  BackupsRoutesModule,
  EpochsRoutesModule,
  RecoveryRoutesModule,
  ErasureRoutesModule,
  RetentionRoutesModule,
  MetricsModule,
];

@Module({})
export class AppModule {
  static of(parts: ApiParts, contexts: readonly Type[] = CONTEXTS): DynamicModule {
    return {
      module: AppModule,
      imports: [
        PartsModule.of(parts),
        EdgeModule.of(parts),
        CqrsModule.forRoot(),
        DiscoveryModule,
        AccessModule,
        CommandsModule,
        ReadsModule,
        SystemModule,
        ...contexts,
      ],
      providers: [
        RouteRules,
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_PIPE, useFactory: inputPipe },
      ],
    };
  }
}

/** What the whole edge shares: who a token is, how far read models are, and what a reader may see of them. */
@Module({})
class EdgeModule {
  static of({ tokens, clock, projections, rateLimits = DEFAULT_RATE_LIMITS }: ApiParts): DynamicModule {
    const providers = [
      { provide: ReadingRules, useClass: Holdings },
      Disclosure,
      { provide: CachedTokens, useValue: new CachedTokens(tokens, clock) },
      { provide: ProjectionStates, useValue: projections },
      {
        provide: LOOKUP_INTERRUPTED,
        useFactory: (logger: Logger) => (error: unknown) => logger.warn(error, 'the index of persons begins anew'),
        inject: [LOGGER],
      },
      { provide: RateLimits, useValue: new RateLimits(rateLimits) },
    ];
    return { module: EdgeModule, global: true, providers, exports: providers };
  }
}
