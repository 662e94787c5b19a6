import type { Kysely, Transaction } from 'kysely';
import { sql } from 'kysely';
import type { Batch, RecordedEvent } from '#ledger';
import type { LeaseRight } from '#postgres';
import { held } from '#postgres';
import type { Process } from './process.js';
import type { Projection } from './projection.js';
import type { BuildRole, BuildStatus, ProjectionTables } from './schema.js';

export type Follower = Projection | Process;
export type Database = Kysely<ProjectionTables>;

/** A projection (live or being rebuilt) or process manager as the runner follows it. The table row is the truth; this follows it. */
export interface Build {
  readonly follower: Follower;
  readonly role: BuildRole;
  position: bigint;
  /** It has met the end of the log in this run: it shares the main subscription. */
  caughtUp: boolean;
  failed: boolean;
}

/** The schema in which the tables of a build stand. */
export const schemaOf = (name: string, role: BuildRole): string => (role === 'live' ? name : `${name}__next`);

/** Runs `work` in one transaction that is committed only while this runner is the active one. Throws LeadershipLost. */
export type Write = <T>(work: (transaction: Transaction<ProjectionTables>) => Promise<T>) => Promise<T>;

/** Another runner has taken over, or moved the checkpoint: this one is no longer the active one. */
export class LeadershipLost extends Error {
  override readonly name = 'LeadershipLost';
}

export interface Checkpoint {
  readonly position: bigint;
  readonly events: readonly RecordedEvent[];
  readonly live: boolean;
}

/** The checkpoint that a whole batch leads to. */
export const checkpointOf = (batch: Batch, build: Build): Checkpoint => ({
  position: batch.position,
  events: batch.events.filter((event) => event.position > build.position),
  live: batch.live,
});

/**
 * Moves a checkpoint, from where we think it is and from nowhere else: two runners that both believe to be the active one
 * wait for each other at this row, and the second throws LeadershipLost with nothing written. So does one whose lease is another's
 * by now; and that stays as it is until the commit, so it is the first statement of the batch's transaction.
 */
export const moveCheckpoint = async (
  db: Database | Transaction<ProjectionTables>,
  right: LeaseRight,
  builds: readonly Build[],
  to: Checkpoint,
): Promise<void> => {
  const last = to.events.at(-1);
  for (const [from, moved] of Map.groupBy(builds, (build) => build.position)) {
    const result = await db
      .updateTable('projections.build')
      .set({
        position: String(to.position),
        events: sql`events + ${to.events.length}`,
        status: to.live ? 'running' : 'catching-up',
        error_code: null,
        error_event: null,
        changed_at: sql`now()`,
        ...(last ? { event_stream: last.stream, event_id: last.eventId, event_position: String(last.position) } : {}),
      })
      .where('position', '=', String(from))
      .where(held(right))
      .where((row) => row.or(moved.map(({ follower, role }) => row.and({ name: follower.name, role }))))
      .executeTakeFirstOrThrow();
    if (Number(result.numUpdatedRows) !== moved.length) throw new LeadershipLost();
  }
};

/** Writes what a build is doing now, beside its checkpoint. `eventId` and `code` only: no message, which might hold a value. */
export const markStatus = async (
  write: Write,
  builds: readonly Build[],
  status: BuildStatus,
  error: { readonly code: string | null; readonly eventId?: string | undefined } = { code: null },
): Promise<void> => {
  if (builds.length === 0) return;
  await write((db) =>
    db
      .updateTable('projections.build')
      .set({ status, error_code: error.code, error_event: error.eventId ?? null, changed_at: sql`now()` })
      .where((row) => row.or(builds.map(({ follower, role }) => row.and({ name: follower.name, role }))))
      .execute(),
  );
};
