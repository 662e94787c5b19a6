import { sql } from 'kysely';
import { event, personal, plain, reference, SubjectErased, subject } from '#events';
import type { ActorId, CompanyId, CustomerId } from '#kernel';
import { inContext, newId, subjectOwner, systemContext } from '#kernel';
import type { Envelope } from '#ledger';
import type { Pool } from '#postgres';
import { createDatabase, createPool } from '#postgres';
import { LedgerDouble, testDatabase } from '#testing';
import type { Notice } from './notice.js';
import type { Follower } from './build.js';
import { process } from './process.js';
import { projection } from './projection.js';
import { inserts } from './row-writes.js';
import { ProjectionRunner } from './runner.js';
import { ProjectionStates } from './states.js';

const Registered = event('customer.registered', 1, {
  customerId: subject<CustomerId>(),
  name: personal<string>('relation'),
  companyId: reference<CompanyId | null>('relation'),
});
const Ticked = event('test.ticked', 1, { n: plain<number>('a number in a test') });

interface Tables {
  card: { customer_id: string; company_id: string | null; envelope: Envelope };
}
const TABLES = `create table card (customer_id uuid primary key, company_id uuid, envelope jsonb not null);
                create index on card (company_id)`;
const card = (version = 1) =>
  projection<Tables>('card', { version, holdsPersonalData: true, tables: TABLES })
    .on(Registered, ({ data, envelope }, db) =>
      db.insertInto('card').values({
        customer_id: data.customerId,
        company_id: data.companyId.state === 'value' ? data.companyId.reveal() : null,
        envelope,
      }),
    )
    .forgets('card', { owner: 'customer_id', envelope: 'envelope', clear: { company_id: 'companyId' } });

interface Counts {
  counted: { n: number };
}
const insertCount = inserts<Counts['counted']>('counted');
const counted = (poison: { includes(n: number): boolean } = []) =>
  projection<Counts>('counted', {
    version: 1,
    holdsPersonalData: false,
    tables: 'create table counted (n int primary key)',
  }).on(Ticked, ({ data }) => {
    if (poison.includes(data.n)) throw new Error(`Kari Nordmann and ${data.n}`);
    return insertCount({ n: data.n });
  });

describe('the projection runner', () => {
  let database: { url: string; drop(): Promise<void> };
  let pool: Pool;
  let ledger: LedgerDouble;
  let states: ProjectionStates;
  let notices: Notice[];
  let running: { stop(): Promise<void> }[];

  beforeEach(async () => {
    database = await testDatabase();
    pool = createPool(database.url, { name: 'test', pipeline: true });
    ledger = new LedgerDouble();
    states = new ProjectionStates(pool);
    notices = [];
    running = [];
  });
  afterEach(async () => {
    for (const { stop } of running) await stop();
    await pool.end();
    await database.drop();
  });

  const actor = newId<ActorId>();
  const start = async (followers: readonly Follower[], maxBatch = 3) => {
    const abort = new AbortController();
    const patience = { firstMs: 5, longestMs: 20, unreadableMs: 20 };
    const options = { pool, ledger, followers, maxBatch, watchMs: 10, patience, context: () => systemContext(actor) };
    const runner = new ProjectionRunner({ ...options, notice: (notice) => notices.push(notice) });
    let done: Promise<void> | undefined;
    await new Promise<void>((resolve, reject) => {
      done = runner.run(abort.signal, resolve);
      done.catch(reject);
    });
    const stop = async () => {
      abort.abort();
      await done;
    };
    running.push({ stop });
    return { stop };
  };
  const append = (stream: string, ...drafts: Parameters<LedgerDouble['append']>[0]['drafts']) =>
    inContext(systemContext(actor), () => ledger.append({ stream, expected: 'any', drafts }));
  const tick = (...ns: number[]) => append('ticker-1', ...ns.map((n) => Ticked.of({ n })));
  const register = async (customerId = newId<CustomerId>()) => {
    await append(
      `customer-${customerId}`,
      Registered.of({ customerId, name: 'Kari', companyId: newId<CompanyId>() }, { partitions: { contact: newId() } }),
    );
    return customerId;
  };
  const erase = (customerId: CustomerId) => {
    ledger.shred(subjectOwner(customerId));
    return append(
      `customer-${customerId}`,
      SubjectErased.of({ ownerId: customerId, ownerKind: 'subject', categories: { contact: 1 }, retained: [] }),
    );
  };
  const numbers = async () =>
    (await counted().reader(createDatabase(pool)).selectFrom('counted').selectAll().orderBy('n').execute()).map(
      ({ n }) => n,
    );
  const cards = () =>
    card().reader(createDatabase(pool)).selectFrom('card').selectAll().orderBy('customer_id').execute();
  const upTo = async (follower: ReturnType<typeof counted> | ReturnType<typeof card>) =>
    states.waitFor(follower, await ledger.head(), 5_000);
  const until = async <T>(look: () => Promise<T | undefined | false>): Promise<T> => {
    for (const deadline = performance.now() + 8_000; ;) {
      const found = await look();
      if (found) return found;
      if (performance.now() > deadline) throw new Error(`never came; notices: ${JSON.stringify(notices)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const stateOf = async (name: string) => (await states.list(await ledger.head())).find((state) => state.name === name);

  it('puts every event into the rows once, before and after a restart', async () => {
    await tick(1, 2, 3, 4, 5, 6, 7);
    const first = await start([counted()]);
    await upTo(counted());
    await first.stop();
    await tick(8, 9);
    await start([counted()]);
    await upTo(counted());
    expect(await numbers()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await stateOf('counted')).toMatchObject({
      state: 'running',
      lag: 0n,
      events: 9n,
      version: 1,
      lastError: null,
    });
  });

  it('stops a projection at the event that it cannot handle, keeps what came before, lets the others go on', async () => {
    await start([counted([5]), card()]);
    await tick(1, 2, 3, 4, 5, 6);
    const customerId = await register();
    await upTo(card());
    const failed = await until(async () => {
      const state = await stateOf('counted');
      return state?.state === 'failed' && state;
    });
    expect(await numbers()).toEqual([1, 2, 3, 4]);
    expect(failed).toMatchObject({ position: 4n, lastError: { code: 'internal' } });
    expect((await cards()).map((row) => row.customer_id)).toEqual([customerId]);
    expect(JSON.stringify(notices)).toContain('projection.failed');
    expect(JSON.stringify(notices)).not.toContain('Kari');
    await expect(states.waitFor(counted([5]), 6n, 5_000)).rejects.toMatchObject({ code: 'projection-failed' });
  });

  it('stops at the one event whose row the database refuses, though the rows of a batch are written together', async () => {
    await tick(1, 2, 3, 2, 5, 6);
    await start([counted()], 100);
    const failed = await until(async () => {
      const state = await stateOf('counted');
      return state?.state === 'failed' && state;
    });
    expect(failed).toMatchObject({ position: 3n, lastError: { code: 'sqlstate-23505' } });
    expect(await numbers()).toEqual([1, 2, 3]);
  });

  it('says so when what fails in common succeeds event by event', async () => {
    const once = new Set([2]);
    await start([counted({ includes: (n) => once.delete(n) })], 100);
    await tick(1, 2, 3);
    await upTo(counted());
    expect(await numbers()).toEqual([1, 2, 3]);
    expect(notices).toContainEqual(expect.objectContaining({ event: 'projection.repeated', projection: 'counted' }));
  });

  it('goes on at that very event when it is resumed', async () => {
    const poison = [3];
    await start([counted(poison)]);
    await tick(1, 2, 3, 4);
    await until(async () => (await stateOf('counted'))?.state === 'failed');
    poison.length = 0;
    await states.requestResume('counted');
    await until(async () => (await stateOf('counted'))?.state === 'running');
    expect(await numbers()).toEqual([1, 2, 3, 4]);
  });

  it('waits out an outage of the vault by itself and writes nothing as erased', async () => {
    await start([card()]);
    await upTo(card());
    ledger.fault = 'vault-unavailable';
    await register();
    await until(async () => (await stateOf('card'))?.state === 'paused');
    expect(await cards()).toEqual([]);
    expect((await stateOf('card'))?.lastError?.code).toBe('vault-unavailable');
    ledger.fault = undefined;
    await upTo(card());
    expect((await cards())[0]?.company_id).not.toBeNull();
    await until(async () => (await stateOf('card'))?.state === 'running');
  });

  it.each(['scope-unknown', 'block-tampered'] as const)(
    'stops loudly at %s, writes nothing, goes on once it is mended',
    async (fault) => {
      await start([card(), counted()]);
      await upTo(card());
      ledger.fault = fault;
      await register();
      expect(
        (
          await until(async () => {
            const state = await stateOf('card');
            return state?.state === 'failed' && state;
          })
        ).lastError?.code,
      ).toBe(fault);
      expect(await cards()).toEqual([]);
      ledger.fault = undefined;
      await until(() =>
        upTo(card())
          .then(() => true)
          .catch(() => false),
      );
      expect((await cards())[0]?.company_id).not.toBeNull();
    },
  );

  it('counts every event once, however often its connection is killed between rows and commit', async () => {
    const deadly = new Set([2, 3, 5, 8, 13, 21, 34]);
    const tally = projection<{ tally: { n: number } }>('tally', {
      version: 1,
      holdsPersonalData: false,
      tables: 'create table tally (n int not null); insert into tally values (0)',
    }).on(Ticked, async ({ data }, db) => {
      await db
        .updateTable('tally')
        .set((row) => ({ n: sql`${row.ref('n')} + 1` }))
        .execute();
      if (deadly.delete(data.n)) await sql`select pg_terminate_backend(pg_backend_pid())`.execute(db);
    });
    await start([tally], 4);
    for (let n = 0; n < 40; n += 5) await tick(n, n + 1, n + 2, n + 3, n + 4);
    await states.waitFor(tally, await ledger.head(), 20_000);
    const { rows } = await pool.query<{ n: number }>('select n from tally.tally');
    expect([rows, deadly.size]).toEqual([[{ n: 40 }], 0]);
  });

  it('forgets what came out of sealed fields when the subject is erased, and keeps everybody else', async () => {
    await start([card()]);
    const kari = await register();
    const ola = await register();
    await upTo(card());
    expect((await cards()).every((row) => row.company_id !== null)).toBe(true);
    await erase(kari);
    await upTo(card());
    const rows = await cards();
    expect(rows.find((row) => row.customer_id === kari)?.company_id).toBeNull();
    expect(rows.find((row) => row.customer_id === ola)?.company_id).not.toBeNull();
  });

  it('does not forget while the vault cannot be asked', async () => {
    await start([card()]);
    const kari = await register();
    await upTo(card());
    ledger.fault = 'vault-unavailable';
    await append(
      `customer-${kari}`,
      SubjectErased.of({ ownerId: kari, ownerKind: 'subject', categories: { contact: 1 }, retained: [] }),
    );
    await until(async () => (await stateOf('card'))?.state === 'paused');
    expect((await cards())[0]?.company_id).not.toBeNull();
  });

  it('rebuilds beside the live tables, swaps, and ends in the same rows, erasures included', async () => {
    await start([card(), counted()]);
    const people = [await register(), await register(), await register(), await register()];
    await erase(people[1]!);
    await upTo(card());
    const live = await cards();
    await states.requestRebuild('card');
    await until(async () => notices.some(({ event }) => event === 'projection.swapped'));
    expect(await cards()).toEqual(live);
    await register();
    await upTo(card());
    expect(await cards()).toHaveLength(5);
    const { rows } = await pool.query("select nspname from pg_namespace where nspname like 'card%'");
    expect(rows).toEqual([{ nspname: 'card' }]);
  });

  it('rebuilds by itself when the declared version changes, and reads of the new version wait for it', async () => {
    const first = await start([card(1)]);
    await register();
    await upTo(card(1));
    await first.stop();
    const behind = states.waitFor(card(2), 0n, 0);
    await expect(behind).rejects.toMatchObject({ code: 'projection-behind' });
    await start([card(2)]);
    await states.waitFor(card(2), await ledger.head(), 5_000);
    expect(await cards()).toHaveLength(1);
    expect(await stateOf('card')).toMatchObject({ version: 2 });
  });

  it('rebuilds when the log is not the one that the rows were made from', async () => {
    await tick(1, 2, 3);
    const first = await start([counted()]);
    await upTo(counted());
    await first.stop();
    ledger = new LedgerDouble();
    await tick(11, 12, 13, 14);
    await start([counted()]);
    await until(async () => (await numbers()).includes(14));
    expect(await numbers()).toEqual([11, 12, 13, 14]);
  });

  it('rebuilds when the events stand at other places of the log than the checkpoint says', async () => {
    await tick(1, 2, 3);
    const first = await start([counted()]);
    await upTo(counted());
    await first.stop();
    await pool.query('update projections.build set position = 1, event_position = 1');
    await start([counted()]);
    await until(async () => notices.some(({ event }) => event === 'projection.swapped'));
    expect(await numbers()).toEqual([1, 2, 3]);
  });

  it('keeps a second runner waiting, and lets it take over', async () => {
    const first = await start([counted()]);
    await start([counted()]);
    await tick(1, 2, 3);
    await upTo(counted());
    await first.stop();
    await tick(4);
    await upTo(counted());
    expect(await numbers()).toEqual([1, 2, 3, 4]);
  });

  it('gives each event to a process manager at least once, in order, and again after a failure', async () => {
    const seen: number[] = [];
    let broken = true;
    const reacting = process('reacting').on(Ticked, async ({ data }) => {
      if (data.n === 2 && broken) throw new Error('not now');
      seen.push(data.n);
    });
    await start([reacting]);
    await tick(1, 2, 3);
    await until(async () => (await stateOf('reacting'))?.state === 'failed');
    broken = false;
    await states.requestResume('reacting');
    await until(async () => (await stateOf('reacting'))?.state === 'running');
    expect(seen).toEqual([1, 2, 3]);
  });

  it('refuses to start with a projection that does not say how it forgets', () => {
    const silent = projection('silent', { version: 1, holdsPersonalData: true, tables: '' });
    // @ts-expect-error a projection that holds personal data and does not say how it forgets is no follower
    const followers: readonly Follower[] = [silent];
    expect(() => new ProjectionRunner({ pool, ledger, followers, context: () => systemContext(actor) })).toThrow(
      /forgets/,
    );
  });
});
