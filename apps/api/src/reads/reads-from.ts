import { Reflector } from '@nestjs/core';
import type { Projection } from '#projections';

/** The projections that a read answers from: `Makuler-After` waits for these. `@ReadsFrom([customerCard])`. */
export const ReadsFrom = Reflector.createDecorator<readonly Projection[]>();

/** How long a read waits for its projections, in milliseconds (`api.md`: 5 s at most). */
export const LONGEST_WAIT_MS = 5_000;
