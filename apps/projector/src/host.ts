import { prepareAnalytics } from '#analytics';
import type { Parts } from '#composition';
import type { JobBackend } from '#jobs';
import { BullJobs } from '#jobs';
import type { ActorId } from '#kernel';
import { newId, systemContext } from '#kernel';
import type { Process, Projection } from '#projections';
import { ProjectionRunner } from '#projections';
import { processes } from './processes.js';
import { projections } from './projections.js';

/** A running projector. */
export interface Host {
  /** Rejects on a fault of the program; outages are waited out. Resolves after `stop`. */
  readonly running: Promise<void>;
  /** Resolves when the projector is at work, or waits for the active one to go. */
  readonly started: Promise<void>;
  /** Whether this one is at work, and no standby. */
  isActive(): boolean;
  stop(): Promise<void>;
}

export interface Followers {
  readonly projections: readonly Projection[];
  readonly processes: (jobs: BullJobs) => readonly Process[];
}

export interface HostOptions {
  /** After so long without a sign of life of the active projector another takes over, in milliseconds (5,000). */
  readonly leaseMs?: number;
  /** Called when this projector has become the active one, or waits for another. */
  readonly onStanding?: (standing: 'active' | 'standby') => void;
  /** For mains and specs that follow others than the shipped ones. */
  readonly followers?: Followers;
}

/** The read models and process managers of the shipped system. */
const SHIPPED: Followers = { projections, processes };

/**
 * Runs read models and process managers over the log. There is nothing to inject and nothing to route here, so there is no
 * Nest: the runner is given its two lists.
 */
export const host = (
  parts: Parts,
  backend: JobBackend,
  { leaseMs, onStanding, followers = SHIPPED }: HostOptions = {},
): Host => {
  const jobs = new BullJobs(backend);
  const stopping = new AbortController();
  const actor = newId<ActorId>();
  let active = false;
  const runner = new ProjectionRunner({
    pool: parts.readModels,
    ledger: parts.ledger,
    followers: [...followers.projections, ...followers.processes(jobs)],
    context: () => systemContext(actor),
    clock: parts.clock,
    ...(leaseMs === undefined ? {} : { leaseMs }),
    onStanding: (standing) => {
      active = standing === 'active';
      onStanding?.(standing);
    },
    notice: ({ event, ...facts }) =>
      event === 'projection.failed' || event === 'projections.unreadable' || event === 'projection.repeated'
        ? parts.logger.error(facts, event)
        : parts.logger.info(facts, event),
  });
  const { promise: started, resolve } = Promise.withResolvers<void>();
  const prepared = Promise.all([backend.prepare(), prepareAnalytics(parts.readModels, parts.policy)]);
  const running = prepared.then(() => runner.run(stopping.signal, resolve));
  const stop = async () => {
    stopping.abort();
    await running;
    await jobs.close();
    await backend.close();
  };
  return { running, started, isActive: () => active, stop };
};
