import type { Gone } from './generated/api.js';

/** Whether a personal field of an answer is not there to be read: erased, lost, or withheld from this reader. */
export const isGone = <T>(field: T | Gone): field is Gone =>
  typeof field === 'object' && field !== null && '$state' in field;

/** The value of a personal field; undefined when it is gone. Where it matters why, look at `$state` instead. */
export const valueOf = <T>(field: T | Gone): T | undefined => (isGone(field) ? undefined : field);
