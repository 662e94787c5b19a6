import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import type { Parts } from '#composition';
import { PartsModule, READ_MODELS } from '#composition';
import { Jobs } from '#jobs';
import type { Pool } from '#postgres';
import { ProjectionStates } from '#projections';
import type { Work } from './jobs.js';

/** Where the processors are made: the parts and the queues are injectable everywhere. */
@Module({})
export class WorkerModule {
  static of(parts: Parts, jobs: Jobs, { modules }: Work): DynamicModule {
    return {
      module: WorkerModule,
      global: true,
      imports: [PartsModule.of(parts), CqrsModule.forRoot(), ...modules],
      providers: [
        { provide: Jobs, useValue: jobs },
        { provide: ProjectionStates, useFactory: (pool: Pool) => new ProjectionStates(pool), inject: [READ_MODELS] },
      ],
      exports: [Jobs, ProjectionStates],
    };
  }
}
