import { randomBytes } from 'node:crypto';
import { Clock } from '#kernel';
import { testDatabase } from '#testing';
import type { Pool } from './pool.js';
import { createPool, inTransaction } from './pool.js';
import type { Lease } from './lease.js';
import { LeaseContender } from './lease-contender.js';
import { askUnder, inTransactionUnder, LeaseLost } from './lease-table.js';

/** Goes on only when it is told to, as for a process that is stopped; the wall clock is nobody's business here. */
class StoppedClock extends Clock {
  ms = 1_000;
  now(): Date {
    throw new Error('a lease is not measured by the wall clock');
  }
  monotonicMs(): number {
    return this.ms;
  }
}

const LEASE_MS = 500;

describe('a lease', () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  /** The pools of two processes, and one that looks on. */
  let first: Pool, second: Pool, onlooker: Pool;
  const lost: string[] = [];
  const contender = (pool: Pool, clock = new StoppedClock(), leaseMs = LEASE_MS) =>
    new LeaseContender({ pool, name: 'spec', leaseMs, clock });
  /** All that were ever taken: a test that fails leaves none behind, or its pool would wait for the session for ever. */
  const taken: Lease[] = [];
  const take = async (pool: Pool, clock?: StoppedClock, leaseMs?: number): Promise<Lease> => {
    const lease = (await contender(pool, clock, leaseMs).attempt((why) => lost.push(why)))!;
    taken.push(lease);
    return lease;
  };
  const until = async (holds: () => boolean | Promise<boolean>) => {
    while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  const write = (pool: Pool, right: Lease, text: string) =>
    inTransactionUnder(
      pool,
      right,
      async (client) => void (await client.query('insert into written values ($1)', [text])),
    );
  const written = async () =>
    (await onlooker.query<{ text: string }>('select text from written order by text')).rows.map(({ text }) => text);
  /** As when the server's clock was set: the row's time is another, and nobody was asleep. */
  const setClock = (by: string) =>
    onlooker.query(`update leases.lease set expires_at = expires_at + $1::interval`, [by]);

  /** A pool whose sessions are a role's that is no superuser. */
  const asPlainRole = async (become: (url: URL, role: string) => unknown, work: (pool: Pool) => Promise<void>) => {
    const role = `lease_${randomBytes(6).toString('hex')}`;
    const url = new URL(database.url);
    await onlooker.query(`create role ${role} login password '${role}'`);
    await onlooker.query(`grant create on database "${url.pathname.slice(1)}" to ${role}`);
    become(url, role);
    const pool = createPool(url.href, { name: 'plain' });
    try {
      await work(pool);
    } finally {
      await pool.end();
      await onlooker.query(`drop owned by ${role} cascade; drop role ${role}`);
    }
  };

  beforeEach(async () => {
    database = await testDatabase();
    [first, second, onlooker] = ['first', 'second', 'onlooker'].map((name) => createPool(database.url, { name })) as [
      Pool,
      Pool,
      Pool,
    ];
    await onlooker.query('create table written (text text)');
    lost.length = 0;
  });
  afterEach(async () => {
    await Promise.all(taken.splice(0).map((lease) => lease.release()));
    await Promise.all([first, second, onlooker].map((pool) => pool.end()));
    await database.drop();
  });

  it('has one holder, of however many that want it at once', async () => {
    const all = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        contender(index % 2 ? first : second, undefined, 60_000).attempt(() => undefined),
      ),
    );
    const held = all.filter((lease) => lease !== undefined);
    expect(held).toHaveLength(1);
    expect(held[0]!.isHeld()).toBe(true);
    await held[0]!.release();
  });

  it('given up, is the next one’s at once, who need not wait for anybody’s belief in it', async () => {
    const one = await take(first);
    await one.release();
    expect(one.isHeld()).toBe(false);
    const other = await take(second);
    expect(other).toMatchObject({ number: one.number + 1, inheritedMs: 0 });
    await expect(write(first, one, 'late')).rejects.toThrow(LeaseLost);
    await other.release();
  });

  it('is kept by renewing it, and not taken from whoever does', async () => {
    const clock = new StoppedClock();
    const one = await take(first, clock, 200);
    const wants = contender(second, clock, 200);
    const renewals = async () =>
      Number((await onlooker.query<{ renewals: string }>('select renewals from leases.lease')).rows[0]!.renewals);
    for (let n = 0; n < 10; n++) {
      const before = await renewals();
      clock.ms += 100;
      expect(await wants.attempt(() => undefined)).toBeUndefined();
      await until(async () => (await renewals()) > before + 1);
    }
    expect(one.isHeld()).toBe(true);
    await one.release();
  });

  it('runs out for whoever was stopped, before it does for others, and is his again if nobody took it', async () => {
    const clock = new StoppedClock();
    const one = await take(first, clock);
    clock.ms += LEASE_MS * 0.99;
    expect(one.isHeld()).toBe(false);
    expect(one.isOver).toBe(false);
    await until(() => one.isHeld());
    await write(first, one, 'on');
    await one.release();
  });

  it('is free as soon as its holder’s session is gone, and that one is told', async () => {
    const one = await take(first, undefined, 60_000);
    await onlooker.query(`select pg_terminate_backend(session_pid) from leases.lease`);
    await until(() => lost.length > 0);
    expect(one.isHeld()).toBe(false);
    const other = await take(second);
    expect(other.inheritedMs).toBe(60_000);
    await expect(write(first, one, 'late')).rejects.toThrow(LeaseLost);
    await other.release();
  });

  it('is free when it was not renewed for its whole length, though the holder’s session stands', async () => {
    const one = await take(first, undefined, 60_000);
    await setClock('-61 s');
    const other = await take(second);
    expect(other.number).toBe(one.number + 1);
    await expect(write(first, one, 'late')).rejects.toThrow(LeaseLost);
    await until(() => lost.length > 0);
    await other.release();
  });

  it('is taken also when the pid of its holder’s session is by now that of another role’s, which may be neither seen nor ended', async () => {
    await asPlainRole(
      (url, role) => ([url.username, url.password] = [role, role]),
      async (plain) => {
        await (await take(plain)).release();
        await onlooker.query('update leases.lease set session_pid = pg_backend_pid(), released = false');
        await setClock('-61 s');
        const other = await take(plain);
        expect(other.isHeld()).toBe(true);
        await other.release();
      },
    );
  });

  it('is taken in a session that acts as a role which may not see it', async () => {
    await asPlainRole(
      (url, role) => url.searchParams.set('options', `-c role=${role}`),
      async (plain) => {
        const one = await take(plain, undefined, 60_000);
        expect(await contender(plain, undefined, 60_000).attempt(() => undefined)).toBeUndefined();
        await one.release();
      },
    );
  });

  it('is taken from a dead holder also when the server’s clock was set back, by what was watched', async () => {
    await take(first, undefined, 60_000);
    await setClock('1 day');
    const clock = new StoppedClock();
    const wants = contender(second, clock, 60_000);
    expect(await wants.attempt(() => undefined)).toBeUndefined();
    clock.ms += 60_000;
    expect(await wants.attempt(() => undefined)).toBeUndefined();
    clock.ms += 2_000;
    const other = (await wants.attempt(() => undefined))!;
    expect(other.isHeld()).toBe(true);
    await other.release();
  });

  it('lets nothing be committed that its holder before had begun: what is in the way is rolled back', async () => {
    const one = await take(first, undefined, 60_000);
    const stopped = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const late = inTransactionUnder(first, one, async (client) => {
      await client.query(`insert into written values ('late')`);
      begun.resolve();
      await stopped.promise;
    });
    await begun.promise;
    await setClock('-61 s');
    const other = await take(second);
    await write(second, other, 'new');
    stopped.resolve();
    await expect(late).rejects.toMatchObject({ code: 'database-unavailable' });
    expect(await written()).toEqual(['new']);
    await other.release();
  });

  it('lets be committed what ends in time: taking over waits for it', async () => {
    const one = await take(first, undefined, 60_000);
    const begun = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    const early = inTransactionUnder(first, one, async (client) => {
      begun.resolve();
      await end.promise;
      await client.query(`insert into written values ('early')`);
    });
    await begun.promise;
    await setClock('-61 s');
    let isTaken = false;
    const taking = take(second).then(() => (isTaken = true));
    const isWaiting = async () => {
      const { rows } = await onlooker.query(
        `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
      );
      return rows.length > 0;
    };
    await until(async () => isTaken || (await isWaiting()));
    const tookAtOnce = isTaken;
    // Before anything is expected: a transaction that stays open would keep the test from ending.
    end.resolve();
    await early;
    expect(tookAtOnce).toBe(false);
    expect(await written()).toEqual(['early']);
    await taking;
  });

  it('does not make its renewals wait for writers, nor writers for renewals', async () => {
    const one = await take(first, undefined, 60_000);
    await inTransactionUnder(first, one, async (client) => {
      await inTransaction(onlooker, async (other) => {
        await other.query('update leases.lease set renewals = renewals + 1');
        await write(first, one, 'beside');
      });
      await client.query(`insert into written values ('under')`);
    });
    expect(await written()).toEqual(['beside', 'under']);
    await one.release();
  });

  it('lets one statement write that asks for it itself, and nothing once it is another’s', async () => {
    const one = await take(first, undefined, 60_000);
    const ask = (text: string) =>
      askUnder(first, one, {
        name: 'write-once',
        text: 'one as (insert into written select $3 from held) select true as is_written from held',
        values: [text],
      });
    expect(await ask('held')).toEqual([{ is_written: true }]);
    const passing = await inTransaction(onlooker, async (client) => {
      await client.query('update leases.lease set token = gen_random_uuid()');
      const late = ask('late').then(
        () => 'written',
        (error: unknown) => error,
      );
      const isWaiting = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
      await until(async () => (await second.query(isWaiting)).rows.length > 0);
      return { late };
    });
    expect(await passing.late).toBeInstanceOf(LeaseLost);
    await expect(ask('later')).rejects.toThrow(LeaseLost);
    expect(await written()).toEqual(['held']);
  });

  it('begins nothing once it is another’s', async () => {
    const one = await take(first, undefined, 60_000);
    await setClock('-61 s');
    const other = await take(second);
    let ran = false;
    await expect(inTransactionUnder(first, one, async () => void (ran = true))).rejects.toThrow(LeaseLost);
    expect(ran).toBe(false);
    await expect(one.confirm()).rejects.toThrow(LeaseLost);
    await other.confirm();
    await other.release();
  });
});
