import { sql } from 'kysely';
import type { Transaction } from 'kysely';
import type { Category } from '#events';
import { ScopeExpired, SubjectErased } from '#events';
import type { OwnerRef } from '#kernel';
import { osloDay } from '#kernel';
import type { RecordedEvent, ScopeOutcome } from '#ledger';
import type { Statement } from '#projections';
import { projection } from '#projections';
import { caseStep, factsOf, ownerFacts, rectifiedOwner } from './event-facts.js';
import type { Holding, HoldingOwner } from './holding.js';
import { ExpiryDropped, ExpiryOrdered } from './retention.events.js';

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
  fixed: ['owner_id', 'category', 'partition'],
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
      registered_on date,
      contract_end date,
      erased_on date,
      expiry_order uuid
    );
    create table holding_shredded (
      owner_id uuid not null,
      category text not null,
      count integer not null,
      primary key (owner_id, category)
    );`,
})
  .onAny((event, db) => [
    ...event.scopes.filter(({ state }) => state === 'live').map((scope) => hold(event, scope, db)),
    ...noteRectification(event, db),
    ...noteOwner(event, db),
    ...noteCaseStep(event, db),
  ])
  .on(SubjectErased, ({ data, at }, db) => [
    upsertOwner({ kind: data.ownerKind, id: data.ownerId } as OwnerRef, { erased_on: osloDay(at) }, db),
    ...Object.entries(data.categories).map(([category, count]) =>
      countShredded(data.ownerId, category as Category, count, db),
    ),
  ])
  .on(ScopeExpired, ({ data }, db) => [
    countShredded(data.ownerId, data.category, data.count, db),
    upsertOwner({ kind: data.ownerKind, id: data.ownerId } as OwnerRef, { expiry_order: null }, db),
  ])
  .on(ExpiryOrdered, ({ data }, db) =>
    upsertOwner({ kind: data.ownerKind, id: data.ownerId } as OwnerRef, { expiry_order: data.orderId }, db),
  )
  .on(ExpiryDropped, ({ data }, db) =>
    upsertOwner({ kind: data.ownerKind, id: data.ownerId } as OwnerRef, { expiry_order: null }, db),
  )
  .onForgotten(async ({ ownerId, shredded }, db) => {
    const rows = await db.selectFrom('holding').select('scope_id').where('owner_id', '=', ownerId).execute();
    const gone = await shredded(rows.map((row) => row.scope_id));
    if (gone.size > 0)
      await db
        .deleteFrom('holding')
        .where(sql<boolean>`scope_id = any(${[...gone]}::uuid[])`)
        .execute();
  });

type Tables = Transaction<HoldingsTables>;

const hold = (event: RecordedEvent, scope: ScopeOutcome, db: Tables): Statement => {
  const { owner, partition } = scope;
  if (!owner || partition === undefined) throw new Error(`${event.type}: a live scope came without its owner`);
  const day = osloDay(event.at);
  const facts = factsOf(event, scope);
  return db
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
      triggers: sql`${JSON.stringify(facts.triggers ?? {})}::jsonb`,
      activity_on: facts.activity_on ?? null,
      concerns: facts.concerns ?? null,
    } as never)
    .onConflict((conflict) =>
      conflict.column('scope_id').doUpdateSet({
        last_on: sql`greatest(holding.last_on, excluded.last_on)`,
        // A request is opened once: a later event under its key doesn't move that day.
        triggers: sql`holding.triggers || (excluded.triggers - 'request-opened')`,
        buyer_kind: sql`coalesce(holding.buyer_kind, excluded.buyer_kind)`,
        activity_on: sql`greatest(holding.activity_on, excluded.activity_on)`,
        concerns: sql`coalesce(holding.concerns, excluded.concerns)`,
      } as never),
    );
};

/** The keys of a card's earlier revisions hold values that are right no longer: their short period begins. */
const noteRectification = (event: RecordedEvent, db: Tables): readonly Statement[] => {
  const ownerId = rectifiedOwner(event);
  if (ownerId === undefined) return [];
  const written = event.scopes.map((scope) => scope.scopeId);
  const superseded = db
    .updateTable('holding')
    .set({ triggers: sql`triggers || ${JSON.stringify({ 'value-superseded': osloDay(event.at) })}::jsonb` } as never)
    .where('owner_id', '=', ownerId)
    .where('category', 'in', ['contact', 'invoice-contact'])
    .where(sql<boolean>`not triggers ? 'value-superseded'`)
    .$if(written.length > 0, (update) => update.where('scope_id', 'not in', written));
  return [superseded];
};

const upsertOwner = (owner: OwnerRef, known: Partial<HoldingOwner>, db: Tables): Statement => {
  const unknown = { relationship: null, registered_on: null, contract_end: null, erased_on: null, expiry_order: null };
  return db
    .insertInto('holding_owner')
    .values({ ...unknown, ...known, owner_id: owner.id, owner_kind: owner.kind })
    .onConflict((conflict) => conflict.column('owner_id').doUpdateSet(asInserted(known)));
};

const asInserted = (known: object) =>
  Object.fromEntries(Object.keys(known).map((column) => [column, sql.ref(`excluded.${column}`)]));

const noteOwner = (event: RecordedEvent, db: Tables): readonly Statement[] => {
  const facts = ownerFacts(event);
  return facts ? [upsertOwner(facts.owner, facts.known, db)] : [];
};

const noteCaseStep = (event: RecordedEvent, db: Tables): readonly Statement[] => {
  const step = caseStep(event);
  if (!step) return [];
  const { caseId, day, closed } = step;
  const triggers = JSON.stringify({ 'case-activity': day, ...(closed ? { 'case-closed': day } : {}) });
  const noted = db
    .updateTable('holding')
    .set({
      // Reopened, a case has no closing day again: its period has not begun.
      triggers: sql`(triggers - 'case-closed') || ${triggers}::jsonb`,
      activity_on: sql`greatest(activity_on, ${day}::date)`,
    } as never)
    .where('partition', '=', caseId)
    // In these words: else the index on it is of no use to a statement that was planned for any value.
    .where(sql<boolean>`partition <> ''`)
    .where('category', '=', 'service');
  return [noted];
};

const countShredded = (ownerId: string, category: Category, count: number, db: Tables): Statement =>
  db
    .insertInto('holding_shredded')
    .values({ owner_id: ownerId, category, count })
    .onConflict((conflict) =>
      conflict
        .columns(['owner_id', 'category'])
        .doUpdateSet({ count: sql`holding_shredded.count + excluded.count` } as never),
    );
