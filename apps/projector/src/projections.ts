import type { Projection } from '#projections';

/** Every read model of the system: one line each. */
export const projections: readonly Projection[] = [];
