import type { OnApplicationBootstrap } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import { defineJob, JobProcessor, Jobs } from '#jobs';
import type { ActorId } from '#kernel';
import { Clock, inContext, newId, systemContext } from '#kernel';
import { VaultRecovery } from '#vault/operations';
import { ClockGuard } from './clock-guard.js';

/** Writes down each hour that the clock can be trusted. Scheduled oftener: the two clocks are compared over short stretches. */
export const clockHeartbeat = defineJob('clock-heartbeat', {});

/** How far the two clocks may drift apart between two runs: a time server slews by less, somebody who sets a clock by more. */
const DRIFT_MS = 60_000;

/** Compares the wall clock with the monotonic one since the last run in this process. Says nothing while the vault serves no keys. */
@Injectable()
export class ClockHeartbeatProcessor
  extends JobProcessor<(typeof clockHeartbeat)['fields']>
  implements OnApplicationBootstrap
{
  readonly job = clockHeartbeat;
  #seen: { wall: number; monotonic: number };

  constructor(
    private readonly guard: ClockGuard,
    private readonly clock: Clock,
    private readonly jobs: Jobs,
    private readonly vault: VaultRecovery,
  ) {
    super();
    this.#seen = this.#look();
  }

  /** The first instant is written at the first start: until there is one, every clock is trusted. */
  async onApplicationBootstrap() {
    await this.jobs.enqueue(clockHeartbeat, {});
  }

  async process() {
    const before = this.#seen;
    this.#seen = this.#look();
    const drift = Math.abs(this.#seen.wall - before.wall - (this.#seen.monotonic - before.monotonic));
    // A jump is not trusted when it is seen; if the clock is plausible all the same, the next run trusts it.
    if (drift > DRIFT_MS) return { trusted: 0 };
    // Behind a closed gate the log may be a restored one: it is left as it is until it is known to be ours.
    if (!(await this.vault.gate().catch(() => undefined))?.serving) return { trusted: 0 };
    const trusted = await inContext(systemContext(newId<ActorId>()), () => this.guard.trust());
    return { trusted: trusted ? 1 : 0 };
  }

  #look() {
    return { wall: this.clock.now().getTime(), monotonic: this.clock.monotonicMs() };
  }
}
