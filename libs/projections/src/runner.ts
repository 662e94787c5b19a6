import { setTimeout as delay } from 'node:timers/promises';
import type { Clock, CommandContext } from '#kernel';
import { codeOf, framesOf, SystemClock } from '#kernel';
import type { Ledger } from '#ledger';
import type { Pool } from '#postgres';
import { createDatabase, migrate } from '#postgres';
import type { Build, Database, Follower } from './build.js';
import { LeadershipLost } from './build.js';
import { isPassing, isUnreadableLog } from './failures.js';
import type { Applying } from './apply.js';
import type { Notice } from './notice.js';
import { Lane } from './lane.js';
import { Leadership } from './leadership.js';
import type { Planning } from './plan.js';
import { activeBuilds, groupIntoLanes, prepare, swapFinished, takeRequests } from './plan.js';
import type { ProjectionTables } from './schema.js';
import { migrations } from './schema.js';

export interface RunnerOptions {
  /** The database of the read models, best with `pipeline`. Three connections more than projections is plenty. */
  readonly pool: Pool;
  readonly ledger: Ledger;
  readonly followers: readonly Follower[];
  /** In whose name process managers act. */
  readonly context: () => CommandContext;
  readonly notice?: (notice: Notice) => void;
  /** After so long without a sign of life of the active runner another takes over, in milliseconds (5,000). */
  readonly leaseMs?: number;
  /** Of its monotonic time only. */
  readonly clock?: Clock;
  /** Called when this runner has become the active one, or waits for another. */
  readonly onStanding?: (standing: 'active' | 'standby') => void;
  /** Events in one transaction at most (default 500). */
  readonly maxBatch?: number;
  /** How often requests are looked for (default 500 ms). */
  readonly watchMs?: number;
  readonly patience?: { readonly firstMs: number; readonly longestMs: number; readonly unreadableMs: number };
}

const LEASE_MS = 5_000;
const PATIENCE = { firstMs: 250, longestMs: 5_000, unreadableMs: 10_000 };

/**
 * Runs projections and process managers over the log, exactly once into the rows, each with its own checkpoint. While
 * another runner is active on the database it waits for it to go. Made for one `run`.
 */
export class ProjectionRunner {
  readonly #db: Database;
  readonly #notice: (notice: Notice) => void;
  readonly #patience: NonNullable<RunnerOptions['patience']>;
  /** Builds that had met the end of the log when the lanes were last stopped. */
  #caughtUp = new Set<string>();

  /** Throws when two followers share a name, or one holds personal data and does not say how it forgets. */
  constructor(private readonly options: RunnerOptions) {
    assertDeclared(options.followers);
    this.#notice = options.notice ?? (() => undefined);
    this.#patience = options.patience ?? PATIENCE;
    this.#db = createDatabase<ProjectionTables>(options.pool);
  }

  /**
   * Runs until `signal` is aborted, through outages and changes of leader; resolves when everything has come to rest.
   * Rejects only on a fault of the program or a database schema that it doesn't know. `started` is called once, when the
   * runner is at work, or waiting for the active one.
   */
  async run(signal: AbortSignal, started: () => void = () => undefined): Promise<void> {
    await this.#persist(signal, () => migrate(this.options.pool, 'projections', migrations).then(() => undefined));
    started();
    while (!signal.aborted) await this.#persist(signal, () => this.#lead(signal));
  }

  /** Repeats what an outage interrupts. */
  async #persist(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    for (let wait = this.#patience.firstMs; !signal.aborted; wait = Math.min(wait * 2, this.#patience.longestMs)) {
      try {
        return await work();
      } catch (error) {
        if (signal.aborted || error instanceof LeadershipLost) return;
        if (!isPassing(error) && !isUnreadableLog(error)) throw error;
        this.#notice({ event: 'projections.paused', projections: [], code: codeOf(error), frames: framesOf(error) });
        await delay(wait, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #lead(signal: AbortSignal): Promise<void> {
    const { pool, ledger, followers, leaseMs = LEASE_MS, clock = new SystemClock(), onStanding } = this.options;
    const onStandby = () => onStanding?.('standby');
    const leadership = await Leadership.acquire({ pool, clock, leaseMs, onStandby }, signal);
    try {
      onStanding?.('active');
      const db = this.#db;
      const planning = { db, write: leadership.writing(db), ledger, followers, notice: this.#notice };
      const leading = AbortSignal.any([signal, leadership.lost]);
      this.#caughtUp = new Set();
      await prepare(planning);
      while (!leading.aborted) {
        await takeRequests(planning);
        await swapFinished(planning, ({ name, role }) => this.#caughtUp.has(`${role}/${name}`));
        await this.#runLanes({ ...planning, right: leadership.right }, leading);
      }
    } finally {
      await leadership.release();
    }
  }

  /**
   * Follows the log until the lanes have to be put together anew: a request came, a rebuild is ready to be swapped in, or
   * someone who was behind has met the end of the log and can share a subscription again.
   */
  async #runLanes(planning: Planning & Pick<Applying, 'right'>, leading: AbortSignal): Promise<void> {
    const builds = await activeBuilds(planning);
    for (const build of builds) build.caughtUp = this.#caughtUp.has(keyOf(build));
    const change = new AbortController();
    const until = AbortSignal.any([leading, change.signal]);
    const groups = groupIntoLanes(builds);
    const caughtUp = () => {
      const lanesAtEnd = lanes.filter((lane) => lane.builds.some((build) => build.caughtUp)).length;
      if (lanesAtEnd > 1 || builds.some((build) => build.caughtUp && build.role === 'next')) change.abort();
    };
    const { pool, maxBatch = 500, context } = this.options;
    const options = { ...planning, pool, context, maxBatch, caughtUp, patience: this.#patience };
    const lanes = groups.map((group) => new Lane(group, options));
    const running = [...lanes.map((lane) => lane.run(until)), this.#watch(until, change)];
    const outcomes = await Promise.allSettled(
      running.map((work) => work.catch((error: unknown) => fail(change, error))),
    );
    this.#caughtUp = new Set(builds.filter((build) => build.caughtUp).map(keyOf));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  async #watch(signal: AbortSignal, change: AbortController): Promise<void> {
    while (!signal.aborted) {
      await delay(this.options.watchMs ?? 500, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        const found = await this.#db.selectFrom('projections.request').select('id').limit(1).executeTakeFirst();
        if (found) change.abort();
      } catch (error) {
        // The lanes meet the same outage and say so; requests wait in the table.
        if (!isPassing(error)) throw error;
      }
    }
  }
}

const keyOf = (build: Build): string => `${build.role}/${build.follower.name}`;

const fail = (change: AbortController, error: unknown): never => {
  change.abort();
  throw error;
};

const assertDeclared = (followers: readonly Follower[]): void => {
  const names = new Set<string>();
  for (const follower of followers) {
    if (names.has(follower.name)) throw new Error(`${follower.name} is declared twice`);
    names.add(follower.name);
    if (follower.kind === 'projection' && !follower.saysHowItForgets)
      throw new Error(`${follower.name} holds personal data and does not say how it forgets`);
  }
};
