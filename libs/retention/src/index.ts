/** ReadingRules stands in #policy: the contexts ask it, and retention reads the contexts' events. */
export type { ReadingState } from '#policy';
