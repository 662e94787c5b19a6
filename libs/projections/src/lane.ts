import { setTimeout as delay } from 'node:timers/promises';
import { codeOf, framesOf } from '#kernel';
import type { Batch } from '#ledger';
import type { Applying } from './apply.js';
import { applyBatch, concerns } from './apply.js';
import type { Build, Write } from './build.js';
import { LeadershipLost, checkpointOf, markStatus, moveCheckpoint } from './build.js';
import { HandlerFailure, isPassing } from './failures.js';

export interface LaneOptions extends Applying {
  readonly write: Write;
  readonly maxBatch: number;
  /** Called after each batch that ended at the end of the log. */
  readonly caughtUp: () => void;
  /** First and longest wait after an outage, and the wait after the log could not be read. */
  readonly patience: { readonly firstMs: number; readonly longestMs: number; readonly unreadableMs: number };
}

/** One subscription and the builds that follow it. It ends when it is told to, or when none of them is left. */
export class Lane {
  #waitMs: number;

  constructor(
    readonly builds: readonly Build[],
    private readonly options: LaneOptions,
  ) {
    this.#waitMs = options.patience.firstMs;
  }

  /** Throws LeadershipLost; lives through everything else. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#active().length > 0) {
      try {
        await this.#follow(signal);
      } catch (error) {
        if (error instanceof LeadershipLost) throw error;
        if (signal.aborted) return;
        await this.#rest(error, signal);
      }
    }
  }

  #active(): readonly Build[] {
    return this.builds.filter((build) => !build.failed);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    await this.#reload();
    const positions = this.#active().map(({ position }) => position);
    const after = positions.reduce((least, position) => (position < least ? position : least));
    const { ledger, maxBatch } = this.options;
    for await (const batch of ledger.subscribe({ ...(after > 0n ? { after } : {}), maxBatch, signal })) {
      await this.#apply(batch);
      this.#waitMs = this.options.patience.firstMs;
      if (batch.live) {
        for (const build of this.#active()) build.caughtUp = true;
        this.options.caughtUp();
      }
      if (signal.aborted || this.#active().length === 0) return;
    }
  }

  /** After a lost connection nobody knows whether the last commit was made: the table does. */
  async #reload(): Promise<void> {
    const rows = await this.options.db.selectFrom('projections.build').select(['name', 'role', 'position']).execute();
    for (const build of this.builds) {
      const row = rows.find(({ name, role }) => name === build.follower.name && role === build.role);
      if (!row) throw new LeadershipLost();
      build.position = BigInt(row.position);
    }
  }

  async #apply(batch: Batch): Promise<void> {
    // Members may be ahead of a batch: the subscription begins at the one that is furthest behind.
    const behind = this.#active().filter(({ position }) => position < batch.position);
    const events = (build: Build) => checkpointOf(batch, build).events;
    const concerned = behind.filter((build) => concerns(build, events(build), this.options.ledger));
    const passing = behind.filter((build) => !concerned.includes(build));
    const outcomes = await Promise.allSettled([
      ...concerned.map((build) =>
        applyBatch(this.options, build, batch).catch((error: unknown) => this.#stop(build, error)),
      ),
      this.#pass(passing, batch),
    ]);
    // All have come to rest before the first of several failures is dealt with.
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    if (behind.length === 0 && batch.live) await this.#running();
  }

  async #pass(passing: readonly Build[], batch: Batch): Promise<void> {
    for (const builds of Map.groupBy(passing, ({ position }) => position).values()) {
      await moveCheckpoint(this.options.db, this.options.right, builds, checkpointOf(batch, builds[0]!));
      for (const build of builds) build.position = batch.position;
    }
  }

  /** Nothing new, but the end of the log was met: whoever was paused or catching up is not any more. */
  async #running(): Promise<void> {
    const arrived = this.#active().filter(({ caughtUp }) => !caughtUp);
    await markStatus(this.options.write, arrived, 'running');
  }

  /** An event that a handler can't take stops that build, loudly, and no other. */
  async #stop(build: Build, error: unknown): Promise<void> {
    if (!(error instanceof HandlerFailure)) throw error;
    const code = codeOf(error.cause);
    const { eventId } = error.event;
    await markStatus(this.options.write, [build], 'failed', { code, eventId });
    build.failed = true;
    build.caughtUp = false;
    const { name } = build.follower;
    this.options.notice({
      event: 'projection.failed',
      projection: name,
      role: build.role,
      code,
      eventId,
      frames: framesOf(error.cause),
    });
  }

  /** Nothing was written. Says why nothing happens, and waits before the next attempt. */
  async #rest(error: unknown, signal: AbortSignal): Promise<void> {
    const outage = isPassing(error);
    const { patience, notice, write } = this.options;
    const builds = this.#active();
    for (const build of builds) build.caughtUp = false;
    const names = builds.map(({ follower }) => follower.name);
    notice(
      outage
        ? { event: 'projections.paused', projections: names, code: codeOf(error) }
        : { event: 'projections.unreadable', projections: names, code: codeOf(error), frames: framesOf(error) },
    );
    // The database itself may be what is away; then the state table keeps saying what it said.
    await markStatus(write, builds, outage ? 'paused' : 'failed', { code: codeOf(error) }).catch(() => undefined);
    const wait = outage ? this.#waitMs : patience.unreadableMs;
    this.#waitMs = Math.min(this.#waitMs * 2, patience.longestMs);
    await delay(wait, undefined, { signal }).catch(() => undefined);
  }
}
