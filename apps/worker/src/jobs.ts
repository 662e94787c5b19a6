import type { Type } from '@nestjs/common';
import type { JobProcessor } from '#jobs';

/** Every kind of job that the workers do: one line each. */
export const processors: readonly Type<JobProcessor>[] = [];
