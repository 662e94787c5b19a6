import { sql } from 'kysely';
import type { Transaction } from 'kysely';
import type { ErasureId } from '#kernel';
import type { RecordedEvent } from '#ledger';
import { projection } from '#projections';
import type { PlanLine } from './erasure.events.js';
import {
  ErasureApproved,
  ErasureCertified,
  ErasureDelayed,
  ErasureExecuted,
  ErasureExecutionRequested,
  ErasureFenced,
  ErasureGivenUp,
  ErasurePlanned,
  ErasureStopped,
  ErasureVerified,
} from './erasure.events.js';

/** Where an erasure stands, for people: `requested` to `verified` are steps that run by themselves. */
export type ErasureState =
  'planned' | 'approved' | 'requested' | 'fenced' | 'executed' | 'verified' | 'erased' | 'stopped' | 'givenUp';

export interface ErasureStep {
  readonly step: string;
  readonly at: string;
  /** Who did it: a random id. */
  readonly actor: string;
}

/** One erasure. Everything in it stands in clear in the owner's own stream. */
export interface ErasureRow {
  readonly erasure_id: ErasureId;
  readonly owner_kind: 'subject' | 'company';
  readonly owner_id: string;
  readonly ground: string;
  readonly state: ErasureState;
  readonly plan_hash: string;
  readonly summary: readonly PlanLine[];
  readonly steps: readonly ErasureStep[];
  /** What failed and is being repeated, since the last step that succeeded. */
  readonly delayed: readonly { readonly step: string; readonly code: string; readonly since: string }[];
  readonly planned_at: Date;
  readonly live_erased_at: Date | null;
  readonly certificate: string | null;
}

interface Tables {
  erasure_board: ErasureRow;
}

/** The board of erasures. It holds no personal value, so an erasure takes nothing from it: it is what remains to be shown. */
export const erasureBoard = projection<Tables>('erasure_board', {
  version: 1,
  holdsPersonalData: false,
  tables: `
    create table erasure_board (
      erasure_id uuid primary key,
      owner_kind text not null,
      owner_id uuid not null,
      ground text not null,
      state text not null,
      plan_hash text not null,
      summary jsonb not null,
      steps jsonb not null,
      delayed jsonb not null,
      planned_at timestamptz not null,
      live_erased_at timestamptz,
      certificate text
    );
    create index on erasure_board (planned_at desc, erasure_id);
    create index on erasure_board (state) where state in ('requested', 'fenced', 'executed', 'verified');`,
})
  .on(ErasurePlanned, async (event, db) => {
    const { erasureId, ownerId, ownerKind, ground, planHash, summary } = event.data;
    const plan = { plan_hash: planHash, summary: json(summary) };
    // Stopped behind the fence it shows as stopped, with the plan that holds now; otherwise it is a plan like any other.
    const state = sql<ErasureState>`case when erasure_board.state = 'stopped' then 'stopped' else 'planned' end`;
    await db
      .insertInto('erasure_board')
      .values({
        ...plan,
        ...{ erasure_id: erasureId, owner_kind: ownerKind, owner_id: ownerId, ground, state: 'planned' },
        ...{ steps: json([stepOf('planned', event)]), delayed: json([]), planned_at: event.at },
        ...{ live_erased_at: null, certificate: null },
      })
      .onConflict((conflict) =>
        conflict.column('erasure_id').doUpdateSet({ ...plan, state, steps: appended('planned', event) }),
      )
      .execute();
  })
  .on(ErasureApproved, (event, db) => advance(event, db, 'approved'))
  .on(ErasureExecutionRequested, (event, db) => advance(event, db, 'requested'))
  .on(ErasureFenced, (event, db) => advance(event, db, 'fenced'))
  .on(ErasureStopped, (event, db) => advance(event, db, 'stopped'))
  .on(ErasureGivenUp, (event, db) => advance(event, db, 'givenUp'))
  .on(ErasureExecuted, (event, db) =>
    advance(event, db, 'executed', { live_erased_at: new Date(event.data.liveErasedAt) }),
  )
  .on(ErasureVerified, (event, db) => advance(event, db, 'verified'))
  .on(ErasureCertified, (event, db) => advance(event, db, 'erased', { certificate: event.data.certificate }))
  .on(ErasureDelayed, async ({ data, at }, db) => {
    const delay = JSON.stringify({ step: data.step, code: data.code, since: at.toISOString() });
    await db
      .updateTable('erasure_board')
      .set({ delayed: sql`delayed || ${delay}::jsonb` })
      .where('erasure_id', '=', data.erasureId)
      .execute();
  });

type Step = Pick<RecordedEvent, 'at' | 'metadata'>;

const json = (value: unknown) => sql<any>`${JSON.stringify(value)}::jsonb`;

const stepOf = (step: string, event: Step): ErasureStep => ({
  step,
  at: event.at.toISOString(),
  actor: event.metadata.actor,
});

const appended = (step: string, event: Step) =>
  sql<any>`erasure_board.steps || ${JSON.stringify(stepOf(step, event))}::jsonb`;

/** One step further: what was being repeated has succeeded, or doesn't matter any more. */
const advance = async (
  event: Step & { readonly data: { readonly erasureId: ErasureId } },
  db: Transaction<Tables>,
  state: ErasureState,
  more: Partial<Pick<ErasureRow, 'live_erased_at' | 'certificate'>> = {},
): Promise<void> => {
  await db
    .updateTable('erasure_board')
    .set({ ...more, state, steps: appended(state, event), delayed: json([]) })
    .where('erasure_id', '=', event.data.erasureId)
    .execute();
};
