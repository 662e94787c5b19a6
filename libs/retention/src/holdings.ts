import { Injectable } from '@nestjs/common';
import type { RawBuilder } from 'kysely';
import { Kysely, sql } from 'kysely';
import type { Category } from '#events';
import type { Day, OwnerRef, ScopeId } from '#kernel';
import { MakulerError } from '#kernel';
import type { Assessment, ReadingState, ScopeFacts } from '#policy';
import { assess, Policy, ReadingRules } from '#policy';
import type { Holding, HoldingOwner, OwnerHoldings } from './holding.js';
import { scopeFacts } from './holding.js';
import type { HoldingsTables } from './holdings.projection.js';
import { holdings } from './holdings.projection.js';

/** A scope with its facts, and what the policy says of it today. */
export interface AssessedHolding {
  readonly holding: Holding;
  readonly facts: ScopeFacts;
  readonly assessment: Assessment;
}

const PAGE = 200;
/** How long the projection, once seen to follow the log, is not asked again. */
const FOLLOWED_MS = 1_000;

/** What we hold, read from the read model and assessed by the policy in force. Throws `database-unavailable`. */
@Injectable()
export class Holdings extends ReadingRules {
  readonly #db: Kysely<HoldingsTables>;
  #followedUntilMs = 0;

  constructor(
    readModels: Kysely<any>,
    private readonly policy: Policy,
  ) {
    super();
    this.#db = holdings.reader(readModels);
  }

  /** Every scope of an owner that still has a key. */
  async ofOwner(owner: OwnerRef, today: Day): Promise<readonly AssessedHolding[]> {
    const [found] = await this.#owners([owner.id]);
    return found?.owner.owner_kind === owner.kind ? this.#assess(found, today) : [];
  }

  /** How many keys of an owner were destroyed, by category: erased or expired. */
  async shreddedOf(owner: OwnerRef): Promise<Readonly<Partial<Record<Category, number>>>> {
    const rows = await this.#db
      .selectFrom('holding_shredded as s')
      .innerJoin('holding_owner as o', 'o.owner_id', 's.owner_id')
      .selectAll('s')
      .where('s.owner_id', '=', owner.id)
      .where('o.owner_kind', '=', owner.kind)
      .execute();
    return Object.fromEntries(rows.map((row) => [row.category, row.count]));
  }

  /** The owner whose key a case, purchase or voucher has: those of them who have one. */
  async ownersOfPartition(partition: string): Promise<readonly OwnerRef[]> {
    const rows = await this.#db
      .selectFrom('holding')
      .select(['owner_kind', 'owner_id'])
      .distinct()
      .where('partition', '=', partition)
      .execute();
    return rows.map((row) => ({ kind: row.owner_kind, id: row.owner_id }) as OwnerRef);
  }

  /** Owners of whom something was being destroyed when the work was cut off. */
  async unfinished(): Promise<readonly OwnerRef[]> {
    const rows = await this.#db
      .selectFrom('holding_owner')
      .select(['owner_kind', 'owner_id'])
      .where('expiry_order', 'is not', null)
      .execute();
    return rows.map((row) => ({ kind: row.owner_kind, id: row.owner_id }) as OwnerRef);
  }

  /** How many scopes have a key. */
  async count(): Promise<number> {
    const row = await this.#db
      .selectFrom('holding')
      .select(({ fn }) => fn.countAll<string>().as('n'))
      .executeTakeFirst();
    return Number(row?.n ?? 0);
  }

  /**
   * Goes through everything that we hold, owner by owner, in bounded memory. Nothing is looked up by a stored date: what is
   * due follows from the facts and the policy of the moment, so a changed policy needs no rebuild and no row can be stale.
   */
  async *all(today: Day): AsyncIterable<{ owner: OwnerRef; erased: boolean; holdings: readonly AssessedHolding[] }> {
    for (let after = ''; ;) {
      const ids = await this.#db
        .selectFrom('holding')
        .select('owner_id')
        .distinct()
        .$if(after !== '', (query) => query.where('owner_id', '>', after))
        .orderBy('owner_id')
        .limit(PAGE)
        .execute();
      const last = ids.at(-1);
      if (!last) return;
      after = last.owner_id;
      for (const found of await this.#owners(ids.map((row) => row.owner_id)))
        yield {
          owner: { kind: found.owner.owner_kind, id: found.owner.owner_id } as OwnerRef,
          erased: found.owner.erased_on !== null,
          holdings: this.#assess(found, today),
        };
    }
  }

  /** As promised; and throws `projection-failed` while the rows no longer follow the log. */
  async statesOf(
    scopeIds: Iterable<ScopeId>,
    purpose: string,
    today: Day,
  ): Promise<ReadonlyMap<ScopeId, ReadingState>> {
    const asked = [...new Set(scopeIds)];
    if (asked.length > 0) await this.#assertFollowing();
    const states = new Map<ScopeId, ReadingState>(asked.map((id) => [id, 'open']));
    for (const found of asked.length === 0 ? [] : await this.#ownersOf(asked))
      for (const { holding, assessment } of this.#assess(found, today))
        if (states.has(holding.scope_id)) states.set(holding.scope_id, readingState(assessment, purpose));
    return states;
  }

  /** A scope without a row reads as open, and rows that follow the log no more may lack an erasure that stands in it. */
  async #assertFollowing(): Promise<void> {
    if (performance.now() < this.#followedUntilMs) return;
    const { rows } = await sql<{ status: string }>`
      select status from projections.build where name = ${holdings.name} and role = 'live'`.execute(this.#db);
    if (rows[0]?.status === 'failed')
      throw new MakulerError('projection-failed', { facts: { projection: holdings.name } });
    this.#followedUntilMs = performance.now() + FOLLOWED_MS;
  }

  #owners(ids: readonly string[]): Promise<readonly OwnerHoldings[]> {
    return ids.length === 0 ? Promise.resolve([]) : this.#grouped(sql<boolean>`h.owner_id = any(${ids}::uuid[])`);
  }

  /**
   * The owners of some scopes, each with those scopes and the rows that have a say in how long they are kept: the card, what
   * is still open, the last activity. A company may have thousands of purchases; a page of them must not read them all.
   */
  #ownersOf(asked: readonly ScopeId[]): Promise<readonly OwnerHoldings[]> {
    return this.#grouped(sql<boolean>`
      h.owner_id in (select owner_id from holdings.holding where scope_id = any(${asked}::uuid[]))
      and (h.scope_id = any(${asked}::uuid[])
        or h.category in ('contact', 'relation')
        or (h.category = 'service' and not h.triggers ? 'case-closed')
        or h.triggers ? 'guarantee-end'
        or h.activity_on = (select max(activity_on) from holdings.holding latest where latest.owner_id = h.owner_id))`);
  }

  async #grouped(which: RawBuilder<boolean>): Promise<readonly OwnerHoldings[]> {
    const { rows } = await sql<Holding & HoldingOwner>`
      select h.*, o.relationship, o.registered_on, o.contract_end, o.erased_on, o.expiry_order
      from holdings.holding h left join holdings.holding_owner o using (owner_id)
      where ${which} order by h.owner_id, h.category, h.since, h.scope_id`.execute(this.#db);
    const owners = new Map<string, { owner: HoldingOwner; holdings: Holding[] }>();
    for (const { relationship, registered_on, contract_end, erased_on, expiry_order, ...holding } of rows) {
      const { owner_id, owner_kind } = holding;
      const owner = { owner_id, owner_kind, relationship, registered_on, contract_end, erased_on, expiry_order };
      const found = owners.get(owner_id) ?? { owner, holdings: [] };
      found.holdings.push(holding);
      owners.set(owner_id, found);
    }
    return [...owners.values()];
  }

  #assess(found: OwnerHoldings, today: Day): readonly AssessedHolding[] {
    return scopeFacts(found).map(({ holding, facts }) => ({
      holding,
      facts,
      assessment: assess(this.policy, facts, today),
    }));
  }
}

/** What a reader with this purpose gets of a scope that is assessed so. What only a law keeps opens for its purpose alone. */
export const readingState = (assessment: Assessment, purpose: string): ReadingState => {
  if (assessment.expired) return 'expired';
  if (assessment.state === 'restricted') return 'restricted';
  if (assessment.state === 'retained' && purpose !== assessment.purpose) return 'retained';
  return 'open';
};
