import type { Jobs } from '#jobs';
import type { Process } from '#projections';

/** Every process manager of the system: one line each, e.g. `erasureExecution(jobs)`. */
export const processes = (_jobs: Jobs): readonly Process[] => [];
