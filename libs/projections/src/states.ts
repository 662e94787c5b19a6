import { setTimeout as delay } from 'node:timers/promises';
import { MakulerError } from '#kernel';
import type { Ledger, Position } from '#ledger';
import type { Pool } from '#postgres';
import { createDatabase } from '#postgres';
import type { Database } from './build.js';
import type { Projection } from './projection.js';
import { isOfThisLog } from './same-log.js';
import type { BuildRow, BuildStatus, ProjectionTables, RequestKind } from './schema.js';

/** What `GET /v1/projections` says of one: positions, ids and codes. */
export interface ProjectionState {
  readonly name: string;
  readonly kind: 'projection' | 'process';
  readonly version: number;
  readonly state: BuildStatus;
  readonly position: Position;
  /** Distance to the end of the log, in positions (bytes or events, as the store counts). */
  readonly lag: bigint;
  readonly events: bigint;
  readonly changedAt: Date;
  readonly lastError: { readonly code: string; readonly eventId: string | null } | null;
  /** Of the rebuild beside it, also of one that was asked for and not begun: from 0 to 1; null when there is none. */
  readonly rebuild: {
    readonly state: BuildStatus;
    readonly position: Position;
    readonly progress: number;
    readonly lastError: ProjectionState['lastError'];
  } | null;
}

const POLL_MS = 15;

/** What the other processes may know and ask of the projector: how far it is, and to rebuild or resume. */
export class ProjectionStates {
  readonly #db: Database;
  #loading: Promise<readonly BuildRow[]> | undefined;

  constructor(pool: Pool) {
    this.#db = createDatabase<ProjectionTables>(pool);
  }

  /** All of them by name. `head` is the end of the log (`Ledger.head`). */
  async list(head: Position): Promise<readonly ProjectionState[]> {
    // In this order, and by a question of its own: the runner takes a request away only once its rebuild stands beside.
    const requests = await this.#db.selectFrom('projections.request').select(['name', 'kind']).execute();
    const rows = await this.#db.selectFrom('projections.build').selectAll().execute();
    const asked = new Set(requests.filter(({ kind }) => kind === 'rebuild').map(({ name }) => name));
    return rows
      .filter(({ role }) => role === 'live')
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((row) => {
        const next = rows.find(({ name, role }) => name === row.name && role === 'next');
        // Asked for again, the one beside it is about to be begun anew.
        return stateOf(row, asked.has(row.name) ? ASKED : next ? rebuildOf(next, head) : null, head);
      });
  }

  /**
   * Waits until the projection has everything up to `position` in its rows (0n: until its tables are there and are of this
   * program's version). Throws `projection-behind` after `timeoutMs`, `projection-failed` at once when it has stopped before.
   */
  async waitFor(projection: Projection, position: Position, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const row = (await this.#rows()).find(({ name, role }) => name === projection.name && role === 'live');
      const ofThisVersion = row?.fingerprint === projection.fingerprint;
      if (row && ofThisVersion && BigInt(row.position) >= position) return;
      const facts = { facts: { projection: projection.name } };
      if (row?.status === 'failed' && ofThisVersion) throw new MakulerError('projection-failed', facts);
      if (performance.now() >= deadline)
        throw new MakulerError('projection-behind', { ...facts, retryAfterSeconds: 1 });
      await delay(POLL_MS);
    }
  }

  /**
   * Up to where the live tables hold what this very log holds, for whoever reads them and then follows the log; undefined when they
   * are not there yet, are of another version of the program, or were made from another log.
   */
  async checkpointOf(projection: Projection, ledger: Ledger): Promise<Position | undefined> {
    const row = (await this.#rows()).find(({ name, role }) => name === projection.name && role === 'live');
    if (row?.fingerprint !== projection.fingerprint || row.status === 'outdated') return undefined;
    return (await isOfThisLog(row, ledger)) ? BigInt(row.position) : undefined;
  }

  /** Asks the active runner to build the tables anew beside the live ones. Throws `not-found`. */
  requestRebuild(name: string): Promise<void> {
    return this.#request(name, 'rebuild', 'projection');
  }

  /** Asks it to try again where it stopped. Throws `not-found`. */
  requestResume(name: string): Promise<void> {
    return this.#request(name, 'resume');
  }

  async #request(name: string, kind: RequestKind, of?: BuildRow['kind']): Promise<void> {
    const known = (await this.#rows()).some((row) => row.name === name && (of === undefined || row.kind === of));
    if (!known) throw new MakulerError('not-found');
    await this.#db.insertInto('projections.request').values({ name, kind }).execute();
  }

  /** However many wait, one question is under way. */
  #rows(): Promise<readonly BuildRow[]> {
    this.#loading ??= this.#db
      .selectFrom('projections.build')
      .selectAll()
      .execute()
      .finally(() => {
        this.#loading = undefined;
      });
    return this.#loading;
  }
}

const errorOf = (row: BuildRow): ProjectionState['lastError'] =>
  row.error_code === null ? null : { code: row.error_code, eventId: row.error_event };

/** Asked for, and not begun: the runner looks a few times a second. */
const ASKED: ProjectionState['rebuild'] = { state: 'catching-up', position: 0n, progress: 0, lastError: null };

const rebuildOf = (next: BuildRow, head: Position): ProjectionState['rebuild'] => {
  const position = BigInt(next.position);
  return {
    state: next.status,
    position,
    progress: head > 0n ? Math.min(1, Number((position * 1000n) / head) / 1000) : 1,
    lastError: errorOf(next),
  };
};

const stateOf = (row: BuildRow, rebuild: ProjectionState['rebuild'], head: Position): ProjectionState => {
  const position = BigInt(row.position);
  return {
    name: row.name,
    kind: row.kind,
    version: row.kind === 'process' ? 1 : Number(row.fingerprint.split('-')[0]),
    state: row.status,
    position,
    lag: head > position ? head - position : 0n,
    events: BigInt(row.events),
    changedAt: row.changed_at,
    lastError: errorOf(row),
    rebuild,
  };
};
