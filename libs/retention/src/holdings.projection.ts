import { sql } from 'kysely';
import type { Transaction } from 'kysely';
import type { Category } from '#events';
import { ScopeExpired, SubjectErased } from '#events';
import { osloDay } from '#kernel';
import type { RecordedEvent, ScopeOutcome } from '#ledger';
import { projection } from '#projections';
import { caseStep, factsOf, relationshipOf } from './event-facts.js';
import type { Holding, HoldingOwner } from './holding.js';

/** How many keys of an owner and category were destroyed so far. */
export interface ShreddedCount {
  readonly owner_id: string;
  readonly category: Category;
  readonly count: number;
}

export interface HoldingsTables {
  holding: Holding;
  holding_owner: HoldingOwner;
  holding_shredded: ShreddedCount;
}

/**
 * What we hold: a row for each scope whose key lives, found by the scopes of every event and not by its type, so that an
 * event that somebody adds later is held too. The key of a shredded scope names nobody any more, so a rebuild makes no row
 * for it; live, the row goes with the event that tells of it.
 */
export const holdings = projection<HoldingsTables>('holdings', {
  version: 1,
  holdsPersonalData: true,
  tables: `
    create table holding (
      scope_id uuid primary key,
      owner_kind text not null,
      owner_id uuid not null,
      category text not null,
      partition text not null,
      since date not null,
      last_on date not null,
      buyer_kind text,
      triggers jsonb not null,
      activity_on date,
      concerns text
    );
    create index on holding (owner_id);
    create index on holding (partition) where partition <> '';
    create table holding_owner (
      owner_id uuid primary key,
      owner_kind text not null,
      relationship text,
      contract_end date,
      erased_on date
    );
    create table holding_shredded (
      owner_id uuid not null,
      category text not null,
      count integer not null,
      primary key (owner_id, category)
    );`,
})
  .onAny(async (event, db) => {
    for (const scope of event.scopes) if (scope.state === 'live') await hold(event, scope, db);
    await noteRelationship(event, db);
    await noteCaseStep(event, db);
  })
  .on(SubjectErased, async ({ data, at }, db) => {
    await db
      .insertInto('holding_owner')
      .values({
        owner_id: data.ownerId,
        owner_kind: data.ownerKind,
        erased_on: osloDay(at),
        relationship: null,
        contract_end: null,
      })
      .onConflict((conflict) => conflict.column('owner_id').doUpdateSet({ erased_on: osloDay(at) }))
      .execute();
    for (const [category, count] of Object.entries(data.categories))
      await countShredded(data.ownerId, category as Category, count, db);
  })
  .on(ScopeExpired, async ({ data }, db) => {
    await countShredded(data.ownerId, data.category, data.count, db);
  })
  .onForgotten(async ({ ownerId, shredded }, db) => {
    const rows = await db.selectFrom('holding').select('scope_id').where('owner_id', '=', ownerId).execute();
    const gone = await shredded(rows.map((row) => row.scope_id));
    if (gone.size > 0)
      await db
        .deleteFrom('holding')
        .where('scope_id', 'in', [...gone])
        .execute();
  });

type Tables = Transaction<HoldingsTables>;

const hold = async (event: RecordedEvent, scope: ScopeOutcome, db: Tables): Promise<void> => {
  const { owner, partition } = scope;
  if (!owner || partition === undefined) throw new Error(`${event.type}: a live scope came without its owner`);
  const day = osloDay(event.at);
  const facts = factsOf(event, scope);
  const triggers = facts.triggers ?? {};
  await db
    .insertInto('holding')
    .values({
      scope_id: scope.scopeId,
      owner_kind: owner.kind,
      owner_id: owner.id,
      category: scope.category as Category,
      partition,
      since: day,
      last_on: day,
      buyer_kind: facts.buyer_kind ?? null,
      triggers: sql`${JSON.stringify(triggers)}::jsonb`,
      activity_on: facts.activity_on ?? null,
      concerns: facts.concerns ?? null,
    } as never)
    .onConflict((conflict) =>
      conflict.column('scope_id').doUpdateSet({
        last_on: sql`greatest(holding.last_on, excluded.last_on)`,
        triggers: sql`holding.triggers || ${JSON.stringify(firstKept(triggers))}::jsonb`,
        buyer_kind: sql`coalesce(holding.buyer_kind, excluded.buyer_kind)`,
        activity_on: sql`greatest(holding.activity_on, excluded.activity_on)`,
        concerns: sql`coalesce(holding.concerns, excluded.concerns)`,
      } as never),
    )
    .execute();
};

/** A request is opened once: a later event under its key doesn't move that day. */
const firstKept = ({ 'request-opened': _opened, ...triggers }: Holding['triggers']): Holding['triggers'] => triggers;

const noteRelationship = async (event: RecordedEvent, db: Tables): Promise<void> => {
  const noted = relationshipOf(event);
  if (!noted) return;
  const row = { relationship: noted.relationship, contract_end: noted.contractEnd };
  await db
    .insertInto('holding_owner')
    .values({ owner_id: event.stream.slice('customer-'.length), owner_kind: 'subject', erased_on: null, ...row })
    .onConflict((conflict) => conflict.column('owner_id').doUpdateSet(row))
    .execute();
};

const noteCaseStep = async (event: RecordedEvent, db: Tables): Promise<void> => {
  const step = caseStep(event);
  if (!step) return;
  const { caseId, day, closed } = step;
  const triggers = JSON.stringify({ 'case-activity': day, ...(closed ? { 'case-closed': day } : {}) });
  await db
    .updateTable('holding')
    .set({
      // Reopened, a case has no closing day again: its period has not begun.
      triggers: sql`(triggers - 'case-closed') || ${triggers}::jsonb`,
      activity_on: sql`greatest(activity_on, ${day}::date)`,
    } as never)
    .where('category', '=', 'service')
    .where('partition', '=', caseId)
    .execute();
};

const countShredded = async (ownerId: string, category: Category, count: number, db: Tables): Promise<void> => {
  await db
    .insertInto('holding_shredded')
    .values({ owner_id: ownerId, category, count })
    .onConflict((conflict) =>
      conflict
        .columns(['owner_id', 'category'])
        .doUpdateSet({ count: sql`holding_shredded.count + excluded.count` } as never),
    )
    .execute();
};
