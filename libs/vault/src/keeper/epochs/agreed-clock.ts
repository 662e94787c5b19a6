import type { Clock } from '#kernel';
import { MakulerError } from '#kernel';

/** A clock an hour behind is implausible to the guard; here as well. */
const APART_MS = 3_600_000;

/**
 * Throws `clock-implausible` when this machine's clock is far from the caller's, which the clock guard watches: a seal dates
 * the destruction of roots and a destruction goes by that date, and a vault on another machine has a clock of its own.
 */
export const assertAgreed = (clock: Clock, callersNow: Date | undefined): void => {
  if (callersNow && !(Math.abs(clock.now().getTime() - callersNow.getTime()) <= APART_MS))
    throw new MakulerError('clock-implausible', {
      detail: "The vault's clock is far from that of the process that asks.",
    });
};
