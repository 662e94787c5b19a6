import { sql } from 'kysely';
import type { Transaction } from 'kysely';
import type { ErasureId } from '#kernel';
import type { RecordedEvent } from '#ledger';
import { projection } from '#projections';
import type { PlanLine, RecertificationReason } from './erasure.events.js';
import {
  ErasureApproved,
  ErasureAttested,
  ErasureCertificateListed,
  ErasureCertified,
  ErasureDelayed,
  ErasureExecuted,
  ErasureExecutionRequested,
  ErasureFenced,
  ErasureGivenUp,
  ErasurePlanned,
  ErasureRecertified,
  ErasureStopped,
  ErasureVerified,
} from './erasure.events.js';
import type { Parts } from './parts.js';

/** Where an erasure stands, for people: `requested` to `verified` are steps that run by themselves. */
export type ErasureState =
  'planned' | 'approved' | 'requested' | 'fenced' | 'executed' | 'verified' | 'erased' | 'stopped' | 'givenUp';

export interface ErasureStep {
  readonly step: string;
  readonly at: string;
  /** Who did it: a random id. */
  readonly actor: string;
}

/** A certificate as it was issued. */
export interface CertificateRow {
  /** From 1. */
  readonly edition: number;
  readonly certificate: string;
  /** RFC 3339; null where it promises no date. */
  readonly backupsClearedBy: string | null;
  /** Why it took the place of the one before; null for the first. */
  readonly reason: RecertificationReason | null;
  readonly issuedAt: string;
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
  /** What the newest certificate promises; null before there is one, and while none promises a date. */
  readonly backups_cleared_by: Date | null;
  /** Since the attestation: no backup can give the data back since then. */
  readonly backups_cleared_at: Date | null;
  /** The newest last. */
  readonly certificates: readonly CertificateRow[];
  readonly attestation: string | null;
  /** Of a certificate that is too long for one event, until the event that it belongs to. */
  readonly pieces: readonly { readonly list: string; readonly piece: string }[];
}

interface Tables {
  erasure_board: ErasureRow;
}

/** The board of erasures. It holds no personal value, so an erasure takes nothing from it: it is what remains to be shown. */
export const erasureBoard = projection<Tables>('erasure_board', {
  version: 3,
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
      backups_cleared_by timestamptz,
      backups_cleared_at timestamptz,
      certificates jsonb not null,
      attestation text,
      pieces jsonb not null
    );
    create index on erasure_board (planned_at desc, erasure_id);
    create index on erasure_board (state) where state in ('requested', 'fenced', 'executed', 'verified');
    create index on erasure_board (erasure_id) where state = 'erased' and attestation is null;`,
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
        ...{ live_erased_at: null, backups_cleared_by: null, backups_cleared_at: null },
        ...{ certificates: json([]), attestation: null, pieces: json([]) },
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
  .on(ErasureCertificateListed, async ({ data: { erasureId, list, piece } }, db) => {
    await db
      .updateTable('erasure_board')
      .set({ pieces: sql`pieces || ${JSON.stringify({ list, piece })}::jsonb` })
      .where('erasure_id', '=', erasureId)
      .execute();
  })
  .on(ErasureCertified, async (event, db) => advance(event, db, 'erased', await certified(event, db, null)))
  .on(ErasureRecertified, async (event, db) =>
    noteStep(event, db, 'recertified', await certified(event, db, event.data.reason)),
  )
  .on(ErasureAttested, (event, db) => {
    const { attestation, backupsClearedAt } = event.data;
    return noteStep(event, db, 'attested', { attestation, backups_cleared_at: new Date(backupsClearedAt) });
  })
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

type Issued = Step & {
  readonly data: Parts & {
    readonly erasureId: ErasureId;
    readonly certificate: string;
    readonly backupsClearedBy: string | null;
  };
};

const certified = async ({ data, at }: Issued, db: Transaction<Tables>, reason: RecertificationReason | null) => {
  const { backupsClearedBy } = data;
  const certificate = [...(await piecesOf(data, db)), data.certificate].join('');
  const issued = JSON.stringify({ certificate, backupsClearedBy, reason, issuedAt: at.toISOString() });
  return {
    // Also those of one that was never finished.
    pieces: json([]),
    backups_cleared_by: backupsClearedBy === null ? null : new Date(backupsClearedBy),
    certificates: sql<any>`certificates || (${issued}::jsonb || jsonb_build_object('edition', jsonb_array_length(certificates) + 1))`,
  };
};

/** The pieces that an event names, in their order. Throws when one is not there. */
const piecesOf = async (
  { erasureId, list, parts }: Issued['data'],
  db: Transaction<Tables>,
): Promise<readonly string[]> => {
  if (parts === 0) return [];
  const row = await db
    .selectFrom('erasure_board')
    .select('pieces')
    .where('erasure_id', '=', erasureId)
    .executeTakeFirst();
  const own = (row?.pieces ?? []).filter((one) => one.list === list);
  if (own.length !== parts) throw new Error(`of ${parts} pieces of a certificate, ${own.length} stand in the log`);
  return own.map(({ piece }) => piece);
};

/** Something more is said of an erasure that is complete: its state stays. */
const noteStep = async (
  event: Step & { readonly data: { readonly erasureId: ErasureId } },
  db: Transaction<Tables>,
  step: string,
  more: object,
): Promise<void> => {
  await db
    .updateTable('erasure_board')
    .set({ ...more, steps: appended(step, event) })
    .where('erasure_id', '=', event.data.erasureId)
    .execute();
};

/** One step further: what was being repeated has succeeded, or doesn't matter any more. */
const advance = async (
  event: Step & { readonly data: { readonly erasureId: ErasureId } },
  db: Transaction<Tables>,
  state: ErasureState,
  more: object = {},
): Promise<void> => {
  await db
    .updateTable('erasure_board')
    .set({ ...more, state, steps: appended(state, event), delayed: json([]) })
    .where('erasure_id', '=', event.data.erasureId)
    .execute();
};
