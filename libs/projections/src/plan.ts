import type { Ledger } from '#ledger';
import type { Build, Database, Follower, Write } from './build.js';
import { markStatus } from './build.js';
import type { Notice } from './notice.js';
import type { Projection } from './projection.js';
import { isOfThisLog } from './same-log.js';
import type { BuildRow } from './schema.js';
import { createBuild, dropBuilds, dropRetired, fingerprintOf, insertBuild, swap } from './tables.js';

export interface Planning {
  /** For reading. */
  readonly db: Database;
  readonly write: Write;
  readonly ledger: Ledger;
  readonly followers: readonly Follower[];
  readonly notice: (notice: Notice) => void;
}

const rowsOf = (db: Database): Promise<BuildRow[]> => db.selectFrom('projections.build').selectAll().execute();

/**
 * Compares what the program declares with what the database has, once at the start: makes what is new, begins to rebuild what
 * was made by another version or from another log, gives what had failed another chance, removes what is no more.
 */
export const prepare = async (planning: Planning): Promise<void> => {
  const { db, write, followers } = planning;
  const rows = await rowsOf(db);
  for (const { name } of rows.filter((row) => row.kind === 'projection'))
    if (!followers.some((follower) => follower.name === name)) await dropBuilds(write, name);
  for (const follower of followers) {
    const live = rows.find(({ name, role }) => name === follower.name && role === 'live');
    if (follower.kind === 'projection') await prepareProjection(planning, follower, live, rows);
    else if (!live) await write((transaction) => insertBuild(transaction, follower, 'live'));
    else if (!(await isOfThisLog(live, planning.ledger))) await restartProcess(write, follower);
  }
};

const prepareProjection = async (
  { write, ledger, notice }: Planning,
  projection: Projection,
  live: BuildRow | undefined,
  rows: readonly BuildRow[],
): Promise<void> => {
  await dropRetired(write, projection.name);
  if (!live) return createBuild(write, projection, 'live');
  const next = rows.find(({ name, role }) => name === projection.name && role === 'next');
  const goesOn = async (row: BuildRow) =>
    row.fingerprint === fingerprintOf(projection) && (await isOfThisLog(row, ledger));
  const liveGoesOn = await goesOn(live);
  if (!liveGoesOn) await mark(write, projection, 'live', 'outdated');
  else if (live.status === 'failed') await mark(write, projection, 'live', 'catching-up');
  if (next && (await goesOn(next))) return mark(write, projection, 'next', 'catching-up');
  if (next || !liveGoesOn) {
    notice({ event: 'projection.rebuilding', projection: projection.name });
    await createBuild(write, projection, 'next');
  }
};

/** Reactions are idempotent, so a process manager in front of another log begins anew. */
const restartProcess = (write: Write, follower: Follower): Promise<void> =>
  write(async (transaction) => {
    await transaction.deleteFrom('projections.build').where('name', '=', follower.name).execute();
    await insertBuild(transaction, follower, 'live');
  });

const mark = (write: Write, follower: Follower, role: BuildRow['role'], status: 'outdated' | 'catching-up') =>
  markStatus(write, [{ follower, role, position: 0n, caughtUp: false, failed: false }], status);

/**
 * Carries out the requests that operators have left in the table. Each is taken away only afterwards: killed in between, it is
 * carried out once more, which begins the rebuild anew; and whoever follows it sees the request or the rebuild, never neither.
 */
export const takeRequests = async ({ db, write, followers, notice }: Planning): Promise<void> => {
  const requests = await db.selectFrom('projections.request').select(['id', 'name', 'kind']).orderBy('id').execute();
  for (const { id, name, kind } of requests) {
    const follower = followers.find((declared) => declared.name === name);
    if (kind === 'rebuild' && follower?.kind === 'projection') {
      notice({ event: 'projection.rebuilding', projection: name });
      await createBuild(write, follower, 'next');
    }
    if (kind === 'resume' && follower)
      await write((transaction) =>
        transaction
          .updateTable('projections.build')
          .set({ status: 'catching-up', error_code: null, error_event: null })
          .where('name', '=', name)
          .where('status', '=', 'failed')
          .execute(),
      );
    await write((transaction) => transaction.deleteFrom('projections.request').where('id', '=', id).execute());
  }
};

/** Swaps in every rebuild that has come at least as far as the tables it replaces. */
export const swapFinished = async (
  { db, write, notice }: Planning,
  caughtUp: (row: BuildRow) => boolean,
): Promise<void> => {
  const rows = await rowsOf(db);
  for (const next of rows.filter(({ role }) => role === 'next')) {
    const live = rows.find(({ name, role }) => name === next.name && role === 'live');
    const replaced = live && live.status !== 'outdated' && live.status !== 'failed' ? BigInt(live.position) : 0n;
    if (!caughtUp(next) || next.status === 'failed' || BigInt(next.position) < replaced) continue;
    await swap(write, next.name);
    notice({ event: 'projection.swapped', projection: next.name });
    await dropRetired(write, next.name);
  }
};

/** What is to be followed now: all that is neither outdated nor failed. */
export const activeBuilds = async ({ db, followers }: Planning): Promise<readonly Build[]> =>
  (await rowsOf(db)).flatMap((row) => {
    const follower = followers.find(({ name }) => name === row.name);
    if (!follower || row.status === 'outdated' || row.status === 'failed') return [];
    return [{ follower, role: row.role, position: BigInt(row.position), caughtUp: false, failed: false }];
  });

/**
 * Builds that have met the end of the log share one subscription; so do those that stand at the same place. Whoever is far
 * behind has one of its own, so that a rebuild does not hold up the rest.
 */
export const groupIntoLanes = (builds: readonly Build[]): readonly (readonly Build[])[] => [
  ...Map.groupBy(builds, (build) => (build.caughtUp ? 'end' : String(build.position))).values(),
];
