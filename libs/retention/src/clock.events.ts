import { event, plain } from '#events';

/** The wall clock was right at this instant, as far as a machine can tell: it had moved along with the monotonic one. Hourly. */
export const ClockTrusted = event('clock.trusted', 1, {
  at: plain<string>('The instant of an hourly heartbeat; nobody is meant by it.'),
});

/** An operator looked at the clock and says that it is right. */
export const ClockConfirmed = event('clock.confirmed', 1, {
  at: plain<string>('The instant at which the clock was confirmed; nobody is meant by it.'),
});
