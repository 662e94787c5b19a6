import type { CommandBus } from '@nestjs/cqrs';
import type { Jobs } from '#jobs';
import type { Process } from '#projections';

/** What a process manager reacts with. */
export interface Reacting {
  readonly jobs: Jobs;
  readonly commands: CommandBus;
}

/** Every process manager of the system: one line each, e.g. `executeErasure(jobs)`. */
export const processes = (_with: Reacting): readonly Process[] => [];
