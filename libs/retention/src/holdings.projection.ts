import { sql } from 'kysely';
import type { Category } from '#events';
import { ScopeExpired, SubjectErased } from '#events';
import type { OwnerRef } from '#kernel';
import { osloDay } from '#kernel';
import type { RecordedEvent, ScopeOutcome } from '#ledger';
import type { RowWrite } from '#projections';
import { added, joined, kept, latest, projection, replaced, updates, upserts } from '#projections';
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

const upsertHolding = upserts<Holding>('holding', {
  key: ['scope_id'],
  set: {
    last_on: latest,
    // A request is opened once: a later event under its key doesn't move that day.
    triggers: joined('request-opened'),
    buyer_kind: kept,
    activity_on: latest,
    concerns: kept,
  },
});

/** The keys of a card's earlier revisions hold values that are right no longer: their short period begins. */
const supersede = updates<Holding, 'owner_id' | 'day' | 'written'>('holding', {
  by: 'owner_id',
  given: { owner_id: 'uuid', day: 'text', written: 'uuid[]' },
  set: { triggers: `holding.triggers || jsonb_build_object('value-superseded', given.day)` },
  where: `holding.category in ('contact', 'invoice-contact') and not holding.triggers ? 'value-superseded'
          and holding.scope_id <> all (given.written)`,
});

const stepCase = updates<Holding, 'partition' | 'day' | 'triggers'>('holding', {
  by: 'partition',
  given: { partition: 'text', day: 'date', triggers: 'jsonb' },
  set: {
    // Reopened, a case has no closing day again: its period has not begun.
    triggers: `(holding.triggers - 'case-closed') || given.triggers`,
    activity_on: 'greatest(holding.activity_on, given.day)',
  },
  // In these words: else the index on it is of no use to a statement that was planned for any value.
  where: `holding.partition <> '' and holding.category = 'service'`,
});

type KnownOfOwner = Partial<Omit<HoldingOwner, 'owner_id' | 'owner_kind'>>;
const owners = new Map<string, (row: HoldingOwner) => RowWrite>();

/** Sets what the event says of the owner, and nothing else: one statement for each set of columns, of which there are few. */
const upsertOwner = ({ kind, id }: OwnerRef, known: KnownOfOwner): RowWrite => {
  const columns = Object.keys(known);
  let upsert = owners.get(columns.join());
  if (!upsert) {
    const set = Object.fromEntries(columns.map((column) => [column, replaced]));
    owners.set(columns.join(), (upsert = upserts<HoldingOwner>('holding_owner', { key: ['owner_id'], set })));
  }
  const unknown = { relationship: null, registered_on: null, contract_end: null, erased_on: null, expiry_order: null };
  return upsert({ ...unknown, ...known, owner_id: id, owner_kind: kind });
};

const countShredded = upserts<ShreddedCount>('holding_shredded', {
  key: ['owner_id', 'category'],
  set: { count: added },
});

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
  .onAny((event) => [
    ...event.scopes.filter(({ state }) => state === 'live').map((scope) => hold(event, scope)),
    ...noteRectification(event),
    ...noteOwner(event),
    ...noteCaseStep(event),
  ])
  .on(SubjectErased, ({ data, at }) => [
    upsertOwner(ownerOf(data), { erased_on: osloDay(at) }),
    ...Object.entries(data.categories).map(([category, count]) =>
      countShredded({ owner_id: data.ownerId, category: category as Category, count }),
    ),
  ])
  .on(ScopeExpired, ({ data }) => [
    countShredded({ owner_id: data.ownerId, category: data.category, count: data.count }),
    upsertOwner(ownerOf(data), { expiry_order: null }),
  ])
  .on(ExpiryOrdered, ({ data }) => upsertOwner(ownerOf(data), { expiry_order: data.orderId }))
  .on(ExpiryDropped, ({ data }) => upsertOwner(ownerOf(data), { expiry_order: null }))
  .onForgotten(async ({ ownerId, shredded }, db) => {
    const rows = await db.selectFrom('holding').select('scope_id').where('owner_id', '=', ownerId).execute();
    const gone = await shredded(rows.map((row) => row.scope_id));
    if (gone.size > 0)
      await db
        .deleteFrom('holding')
        .where(sql<boolean>`scope_id = any(${[...gone]}::uuid[])`)
        .execute();
  });

const hold = (event: RecordedEvent, scope: ScopeOutcome): RowWrite => {
  const { owner, partition } = scope;
  if (!owner || partition === undefined) throw new Error(`${event.type}: a live scope came without its owner`);
  const day = osloDay(event.at);
  const facts = factsOf(event, scope);
  return upsertHolding({
    scope_id: scope.scopeId,
    owner_kind: owner.kind,
    owner_id: owner.id,
    category: scope.category as Category,
    partition,
    since: day,
    last_on: day,
    buyer_kind: facts.buyer_kind ?? null,
    triggers: facts.triggers ?? {},
    activity_on: facts.activity_on ?? null,
    concerns: facts.concerns ?? null,
  });
};

const noteRectification = (event: RecordedEvent): readonly RowWrite[] => {
  const ownerId = rectifiedOwner(event);
  if (ownerId === undefined) return [];
  const written = event.scopes.map((scope) => scope.scopeId);
  return [supersede({ owner_id: ownerId, day: osloDay(event.at), written })];
};

const ownerOf = ({ ownerKind, ownerId }: { readonly ownerKind: OwnerRef['kind']; readonly ownerId: string }) =>
  ({ kind: ownerKind, id: ownerId }) as OwnerRef;

const noteOwner = (event: RecordedEvent): readonly RowWrite[] => {
  const facts = ownerFacts(event);
  return facts ? [upsertOwner(facts.owner, facts.known)] : [];
};

const noteCaseStep = (event: RecordedEvent): readonly RowWrite[] => {
  const step = caseStep(event);
  if (!step) return [];
  const { caseId, day, closed } = step;
  const triggers = { 'case-activity': day, ...(closed ? { 'case-closed': day } : {}) };
  return [stepCase({ partition: caseId, day, triggers })];
};
