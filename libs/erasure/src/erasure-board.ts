import { Injectable } from '@nestjs/common';
import { Kysely, sql } from 'kysely';
import type { CompanyId, ErasureId, OwnerRef, SubjectId } from '#kernel';
import { companyOwner, MakulerError, subjectOwner } from '#kernel';
import { Ledger } from '#ledger';
import { ProjectionStates } from '#projections';
import type { ErasureRow } from './erasure-board.projection.js';
import { erasureBoard } from './erasure-board.projection.js';

const PATIENCE_MS = 5_000;

/** Whose erasure a row is about. */
export const ownerOf = (row: Pick<ErasureRow, 'owner_kind' | 'owner_id'>): OwnerRef =>
  row.owner_kind === 'subject' ? subjectOwner(row.owner_id as SubjectId) : companyOwner(row.owner_id as CompanyId);

/** Reads the board of erasures. */
@Injectable()
export class ErasureBoard {
  constructor(
    private readonly readModels: Kysely<any>,
    private readonly states: ProjectionStates,
    private readonly ledger: Ledger,
  ) {}

  /** Throws `not-found`. */
  async get(erasureId: ErasureId): Promise<ErasureRow> {
    const row = await this.#board().where('erasure_id', '=', erasureId).executeTakeFirst();
    if (!row) throw new MakulerError('not-found');
    return row;
  }

  /**
   * Whose erasure it is, also of one planned a moment ago: only the owner's stream knows, and only the board knows which
   * stream. Throws `not-found`, `projection-behind`.
   */
  async ownerOf(erasureId: ErasureId): Promise<OwnerRef> {
    await this.states.waitFor(erasureBoard, await this.ledger.head(), PATIENCE_MS);
    return ownerOf(await this.get(erasureId));
  }

  /** The latest first; `before` is the last row of the page before. */
  async list(limit: number, before?: { plannedAt: string; erasureId: string }): Promise<readonly ErasureRow[]> {
    let query = this.#board().orderBy('planned_at', 'desc').orderBy('erasure_id', 'desc').limit(limit);
    if (before)
      query = query.where(({ eb, refTuple, tuple }) =>
        eb(refTuple('planned_at', 'erasure_id'), '<', tuple(new Date(before.plannedAt), before.erasureId as ErasureId)),
      );
    return query.execute();
  }

  /** Those whose steps are to run by themselves; all of the log is in by now. Throws `projection-behind`. */
  async underway(): Promise<readonly ErasureRow[]> {
    await this.states.waitFor(erasureBoard, await this.ledger.head(), PATIENCE_MS);
    return this.#board().where('state', 'in', ['requested', 'fenced', 'executed', 'verified']).execute();
  }

  /** Those that are certified, and whose backups are not known to be cleared; all of the log is in by now. Throws `projection-behind`. */
  async awaitingAttestation(): Promise<readonly ErasureRow[]> {
    await this.states.waitFor(erasureBoard, await this.ledger.head(), PATIENCE_MS);
    return this.#board().where('state', '=', 'erased').where('attestation', 'is', null).execute();
  }

  /**
   * How many are in which state, and how many have been under way since before `since`, or are unattested
   * past their date, or without one: a mirror that is outstanding takes the date away.
   */
  async counts(since: Date): Promise<{ byState: ReadonlyMap<string, number>; overdue: number }> {
    const rows = await this.#board()
      .clearSelect()
      .select(({ fn }) => ['state', fn.countAll<string>().as('all')])
      .select(
        sql<string>`count(*) filter (where case
          when state in ('requested', 'fenced', 'executed', 'verified') then (steps -> -1 ->> 'at')::timestamptz < ${since}
          else state = 'erased' and attestation is null and coalesce(backups_cleared_by < ${since}, true) end)`.as(
          'overdue',
        ),
      )
      .groupBy('state')
      .execute();
    return {
      byState: new Map(rows.map(({ state, all }) => [state, Number(all)])),
      overdue: rows.reduce((sum, { overdue }) => sum + Number(overdue), 0),
    };
  }

  #board() {
    return erasureBoard.reader(this.readModels).selectFrom('erasure_board').selectAll();
  }
}
