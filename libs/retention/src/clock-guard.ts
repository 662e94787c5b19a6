import { Injectable } from '@nestjs/common';
import type { Draft } from '#events';
import { Clock, MakulerError } from '#kernel';
import type { Position } from '#ledger';
import { Ledger } from '#ledger';
import { ClockConfirmed, ClockTrusted } from './clock.events.js';

const STREAM = 'vault-ledger';
const HOUR_MS = 3_600_000;
const SWEEPS_WAIT_MS = 48 * HOUR_MS;
const COMMANDS_WAIT_MS = 400 * 24 * HOUR_MS;
const COMMANDS_BEHIND_MS = HOUR_MS;
/** How long a reading of the log is good for. The wall clock itself is looked at each time. */
const FRESH_MS = 60_000;

/** `unconfirmed`: nothing irreversible is done until an operator confirms the clock. `implausible`: commands are refused too. */
export type ClockState = 'plausible' | 'unconfirmed' | 'implausible';

/** Judges a wall clock by the last instant that was trusted. Without one (an empty log) the clock is trusted. */
export const judge = (now: Date, trusted: Date | undefined): ClockState => {
  if (trusted === undefined) return 'plausible';
  const ahead = now.getTime() - trusted.getTime();
  if (ahead > COMMANDS_WAIT_MS || ahead < -COMMANDS_BEHIND_MS) return 'implausible';
  return ahead > SWEEPS_WAIT_MS || ahead < 0 ? 'unconfirmed' : 'plausible';
};

/** Whatever says that an instant can be trusted: what an operator confirmed counts like a heartbeat, also when it lies before one. */
const TRUSTING = [ClockTrusted, ClockConfirmed];

/**
 * Nothing irreversible on a bad day: a clock that jumped years ahead would make everything due. Retention asks before it
 * destroys, the api before it takes a command.
 */
@Injectable()
export class ClockGuard {
  #read: { trusted: Date | undefined; atMs: number } | undefined;

  constructor(
    private readonly ledger: Ledger,
    private readonly clock: Clock,
  ) {}

  /** Throws `store-unavailable`: a clock that can't be judged is not taken for plausible. */
  async state(): Promise<ClockState> {
    if (this.#read && this.clock.monotonicMs() - this.#read.atMs <= FRESH_MS) {
      const remembered = judge(this.clock.now(), this.#read.trusted);
      // Another process may have been told since that the clock is right: before anything is refused, the log is asked.
      if (remembered === 'plausible') return remembered;
    }
    return this.#readAndJudge();
  }

  /** For commands. Throws `clock-implausible` more than 400 days ahead of the last trusted instant, or an hour behind it. */
  async assertPlausible(): Promise<void> {
    if ((await this.state()) === 'implausible') throw new MakulerError('clock-implausible');
  }

  /** For whatever can't be undone. Throws `clock-implausible` more than 48 hours ahead of the last trusted instant, or behind it. */
  async assertConfirmed(): Promise<void> {
    if ((await this.#readAndJudge()) !== 'plausible') throw new MakulerError('clock-implausible');
  }

  /**
   * Writes the heartbeat when an hour has passed since the last, if the clock is plausible: one that is not waits for an
   * operator, however steadily it goes on.
   */
  async trust(): Promise<boolean> {
    if ((await this.#readAndJudge()) !== 'plausible' || this.#heardWithin(HOUR_MS)) return false;
    await this.#write(ClockTrusted.of({ at: this.clock.now().toISOString() }));
    return true;
  }

  /** An operator says that the clock is right now. */
  async confirm(): Promise<Position> {
    return this.#write(ClockConfirmed.of({ at: this.clock.now().toISOString() }));
  }

  async #readAndJudge(): Promise<ClockState> {
    const atMs = this.clock.monotonicMs();
    // Only the newest counts, and it stands near the end: the stream grows by the hour, for as long as the system lives.
    const newest = await this.ledger.newest(STREAM, TRUSTING);
    const trusted = newest && new Date(newest.data.at);
    this.#read = { trusted, atMs };
    return judge(this.clock.now(), trusted);
  }

  #heardWithin(ms: number): boolean {
    const trusted = this.#read?.trusted;
    return trusted !== undefined && this.clock.now().getTime() - trusted.getTime() < ms;
  }

  async #write(draft: Draft<any>): Promise<Position> {
    const { position } = await this.ledger.append({ stream: STREAM, expected: 'any', drafts: [draft] });
    this.#read = undefined;
    return position;
  }
}
