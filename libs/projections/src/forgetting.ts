import type { Transaction } from 'kysely';
import { sql } from 'kysely';
import type { Category } from '#events';
import { isEvent, type Envelope, type Ledger, type OpenedEnvelope, type RecordedEvent } from '#ledger';
import { ScopeExpired, SubjectErased } from '#events';
import type { CompanyId, OwnerRef, ScopeId, SubjectId } from '#kernel';
import { companyOwner, subjectOwner } from '#kernel';

/**
 * An owner of whom something was forgotten, with the means to find out what. The event names no scope and no partition,
 * so the question is put the other way round: which of the rows that I have on this owner can still be read? Both
 * questions go to the vault in one call and throw when it can't be asked: an outage never looks like an erasure.
 */
export interface Forgotten {
  readonly owner: OwnerRef;
  /** The id of the owner, whichever kind. */
  readonly ownerId: string;
  readonly categories: readonly Category[];
  readonly at: Date;
  /** Those of `scopeIds` whose keys are destroyed, or lost. */
  shredded(scopeIds: readonly ScopeId[]): Promise<ReadonlySet<ScopeId>>;
  /** Opens envelopes kept in rows, as they open now. */
  open(envelopes: readonly Envelope[]): Promise<readonly OpenedEnvelope[]>;
}

/** Columns of one table that came out of the sealed fields of the envelope in the same row. */
export interface ForgetRule {
  readonly table: string;
  readonly owner: string;
  readonly envelope: string;
  readonly clear: Readonly<Record<string, string>>;
}

/** Reads a forgetting event; `undefined` for every other event. */
export const forgottenBy = (event: RecordedEvent, ledger: Ledger): Forgotten | undefined => {
  const shredded = async (scopeIds: readonly ScopeId[]) => {
    const states = await ledger.scopeStates(scopeIds);
    // What is lost is as gone: a rebuild would not find it either.
    return new Set(scopeIds.filter((id) => states.get(id) !== 'live'));
  };
  const open = (envelopes: readonly Envelope[]) => ledger.open(envelopes);
  const of = (
    data: { ownerId: SubjectId | CompanyId; ownerKind: 'subject' | 'company' },
    categories: readonly Category[],
  ) => ({
    owner:
      data.ownerKind === 'subject' ? subjectOwner(data.ownerId as SubjectId) : companyOwner(data.ownerId as CompanyId),
    ownerId: data.ownerId,
    categories,
    at: event.at,
    shredded,
    open,
  });
  if (isEvent(event, SubjectErased)) return of(event.data, Object.keys(event.data.categories) as Category[]);
  if (isEvent(event, ScopeExpired)) return of(event.data, [event.data.category]);
  return undefined;
};

const CHUNK = 500;
const GONE: ReadonlySet<string | undefined> = new Set(['erased', 'lost']);

/** Applies one rule to the rows of a forgotten owner. Memory stays bounded: a company may have many rows. */
export const applyRule = async (rule: ForgetRule, forgotten: Forgotten, db: Transaction<any>): Promise<void> => {
  const columns = Object.entries(rule.clear);
  const table = sql.table(rule.table);
  // The cursor sees the rows as they were when it was declared, so rows that change under it are not met twice; a row's
  // ctid stays valid because this transaction is the only writer.
  await sql`declare forgetting cursor for select ctid::text as place, ${sql.ref(rule.envelope)} as envelope
            from ${table} where ${sql.ref(rule.owner)} = ${forgotten.ownerId}`.execute(db);
  for (;;) {
    const { rows } = await sql<{ place: string; envelope: Envelope }>`fetch ${sql.lit(CHUNK)} from forgetting`.execute(
      db,
    );
    if (rows.length === 0) break;
    const opened = await forgotten.open(rows.map((row) => row.envelope));
    // A column may change the key by which the rows are found, and with it the row's place: all columns of a row at once.
    const places = new Map<string, string[]>();
    rows.forEach((row, i) => {
      // A lost field can't say whose it is any more; the column still would, of somebody who is forgotten now.
      const gone = columns.filter(([, field]) => GONE.has(opened[i]?.fields[field]?.state)).map(([column]) => column);
      if (gone.length > 0) places.set(gone.join(), [...(places.get(gone.join()) ?? []), row.place]);
    });
    for (const [gone, at] of places) {
      const nulls = sql.join(gone.split(',').map((column) => sql`${sql.ref(column)} = null`));
      await sql`update ${table} set ${nulls} where ctid = any(${at}::tid[])`.execute(db);
    }
  }
  await sql`close forgetting`.execute(db);
};
