import type { Kysely } from 'kysely';
import { Disclosure } from '#disclosure';
import type { Draft } from '#events';
import type { ActorId, IdSource, OwnerRef, Role, ScopeId } from '#kernel';
import { RandomIds, inContext, newId } from '#kernel';
import type { Policy } from '#policy';
import { ReadingRules } from '#policy';
import type { Pool } from '#postgres';
import { createDatabase, createPool } from '#postgres';
import type { Projection } from '#projections';
import { testDatabase } from './database.js';
import { LedgerDouble } from './ledger-double.js';
import { RunningProjections } from './running-projections.js';
import { SetClock } from './set-clock.js';

/** Nothing has expired and nothing is retained. */
class EverythingOpen extends ReadingRules {
  statesOf(scopeIds: Iterable<ScopeId>) {
    return Promise.resolve(new Map([...scopeIds].map((id) => [id, 'open' as const])));
  }
}

interface ReadSideOptions {
  readonly policy: Policy;
  readonly projections: readonly Projection[];
  readonly now?: Date;
  readonly rules?: (db: Kysely<any>) => ReadingRules;
}

/** A ledger, read models on a real database, and what opens them: for specs of projections and queries. */
export class ReadSide {
  private constructor(
    readonly ledger: LedgerDouble,
    readonly clock: SetClock,
    readonly pool: Pool,
    readonly db: Kysely<any>,
    readonly disclosure: Disclosure,
    private readonly projections: readonly Projection[],
    private running: RunningProjections,
    private readonly drop: () => Promise<void>,
  ) {}

  static async start({ policy, projections, rules, now = new Date() }: ReadSideOptions): Promise<ReadSide> {
    const database = await testDatabase();
    const pool = createPool(database.url, { name: 'read side' });
    const db = createDatabase<any>(pool);
    const clock = new SetClock(now);
    const ledger = new LedgerDouble(clock);
    const disclosure = new Disclosure(ledger, rules?.(db) ?? new EverythingOpen(), policy, clock);
    const running = await RunningProjections.start(pool, ledger, projections);
    return new ReadSide(ledger, clock, pool, db, disclosure, projections, running, database.drop);
  }

  /** Runs as somebody with one role and a purpose. */
  as<T>(role: Role, purpose: string, work: () => Promise<T>, ids: IdSource = new RandomIds()): Promise<T> {
    return inContext({ actor: newId<ActorId>(), roles: [role], purpose, ids }, work);
  }

  /** Appends events as they are, and waits until the read models have them. */
  async append(stream: string, ...drafts: Draft<any>[]): Promise<void> {
    await this.as('system', 'avtale', () => this.ledger.append({ stream, expected: 'any', drafts }));
    await this.caughtUp();
  }

  /** Destroys keys, then says so in the owner's stream, as an erasure or a sweep does. */
  async forget(owner: OwnerRef, event: Draft<any>, ...scopes: readonly { category: string; partition?: string }[]) {
    // The rows are made while the keys live: what is to be shown is that rows forget, not that they never knew.
    await this.caughtUp();
    for (const { category, partition } of scopes) this.ledger.shred(owner, category, partition);
    await this.append(`${owner.kind === 'company' ? 'company' : 'customer'}-${owner.id}`, event);
  }

  /** How far the read models are. */
  get states() {
    return this.running.states;
  }

  caughtUp(): Promise<void> {
    return this.running.caughtUp();
  }

  /** All rows of tables, in an order that depends on their content alone. */
  async rows(...tables: readonly string[]): Promise<readonly unknown[]> {
    const contents = [];
    for (const table of tables)
      contents.push((await this.pool.query(`select * from ${table} as t order by t::text`)).rows);
    return contents;
  }

  /** The same tables built from an empty database. */
  async rebuilt(...tables: readonly string[]): Promise<readonly unknown[]> {
    const database = await testDatabase();
    const pool = createPool(database.url, { name: 'rebuild' });
    const running = await RunningProjections.start(pool, this.ledger, this.projections);
    await running.caughtUp();
    const contents = [];
    for (const table of tables) contents.push((await pool.query(`select * from ${table} as t order by t::text`)).rows);
    await running.stop();
    await pool.end();
    await database.drop();
    return contents;
  }

  async stop(): Promise<void> {
    await this.running.stop();
    await this.pool.end();
    await this.drop();
  }
}
