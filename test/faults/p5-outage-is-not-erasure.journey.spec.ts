import { randomBytes } from 'node:crypto';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startEmbedded } from '#postgres/embedded';
import type { Reply, RequestOptions } from '../journeys/installation.js';
import { Installation, eventually } from '../journeys/installation.js';
import { sql } from './everything-kept.js';
import { readModels } from './read-models.js';

const rights: RequestOptions = { as: 'compliance', purpose: 'rettigheter' };
const help: RequestOptions = { as: 'compliance', purpose: 'kundehjelp' };
const OUTAGE_CODES = ['vault-unavailable', 'lookup-warming', 'scope-unknown', 'projection-behind', 'projection-failed'];

const STOPPED = 'deleted while it is stopped';

interface Person {
  readonly customerId: string;
  readonly name: string;
  /** Position of the last that was written about them. */
  readonly after: string;
}

/**
 * P5: whatever keeps us from a key, it never looks like an erasure. Each outage meets events that the projections have not
 * seen yet, so that whoever took it for an erasure would write it down.
 */
describe('an outage is no erasure (P5)', () => {
  let makuler: Installation;
  let serial = 0;
  const people: Person[] = [];
  beforeAll(async () => {
    makuler = await Installation.create({ policy: 'policy/webshop' });
    await makuler.start();
    for (let n = 0; n < 4; n++) await take();
    await erase(people.shift()!);
  }, 120_000);
  afterAll(() => makuler.destroy());

  /** A new person with a purchase and a case: each projection has something of theirs to write. */
  const take = async (): Promise<Person> => {
    const name = `Person Nummer${'abcdefghijklmnop'[serial]}`;
    const email = `p${serial++}@example.no`;
    const created = async (path: string, body: object) => {
      const reply = await makuler.post(path, body, { purpose: 'avtale' });
      expect([reply.status, reply.text]).toEqual([201, expect.any(String)]);
      return reply;
    };
    const { customerId } = (await created('/v1/customers', { relationship: 'customer', name, email })).body;
    const lines = [
      { kind: 'product', itemType: 'lager', description: `til ${name}`, quantity: '1', unitPrice: '10.00' },
    ];
    await created('/v1/purchases', { customerId, purchasedAt: '2026-03-10', currency: 'NOK', lines });
    const last = await created('/v1/service-cases', {
      customerId,
      kind: 'repair',
      item: { itemType: 'lager' },
      description: `fra ${name}`,
    });
    people.push({ customerId, name, after: last.headers.get('makuler-position')! });
    return people.at(-1)!;
  };

  const erase = async ({ customerId }: Person) => {
    const { erasureId, planHash } = (
      await makuler.post('/v1/erasures', { customerId, ground: 'subject-request' }, rights)
    ).body;
    await makuler.post(`/v1/erasures/${erasureId}/approve`, { planHash }, { ...rights, as: 'approver' });
    await makuler.post(`/v1/erasures/${erasureId}/execute`, {}, rights);
    await eventually(
      () => makuler.get(`/v1/erasures/${erasureId}`, rights),
      ({ body }) => body?.state === 'erased',
    );
  };

  const ask = ({ customerId, name }: Person): Promise<Reply>[] => [
    makuler.get(`/v1/customers/${customerId}`, rights),
    makuler.get(`/v1/customers/${customerId}/purchases`, help),
    makuler.get(`/v1/customers/${customerId}/service-cases`, help),
    makuler.post('/v1/customers/search', { name: name.split(' ')[1] }, help),
  ];

  /** Every answer says the person's name or is an error of its own kind; none looks erased, withheld or empty. */
  const expectHonest = async (person: Person): Promise<readonly number[]> => {
    const answers = await Promise.all(ask(person));
    for (const { status, text, body } of answers)
      if (status === 200) expect(text).toContain(person.name);
      else
        expect([status, OUTAGE_CODES, text]).toEqual([
          503,
          expect.arrayContaining([body?.code]),
          expect.not.stringContaining('$state'),
        ]);
    return answers.map(({ status }) => status);
  };

  const states = async (): Promise<
    {
      name: string;
      state: string;
      lag: string;
      rebuild: { state: string } | null;
      lastError: { code: string } | null;
    }[]
  > => (await makuler.get('/v1/projections', { as: 'operator' })).body.items;

  const settled = () =>
    eventually(
      states,
      (items) =>
        items?.every(({ state, lag, rebuild }) => state === 'running' && Number(lag) === 0 && rebuild === null),
      60_000,
    );

  /** All is as it was: every person reads, and rows that stood before stand. */
  const expectAllBack = async (before: Readonly<Record<string, readonly string[]>>) => {
    await settled();
    for (const person of people)
      await eventually(
        () => expectHonest(person),
        (statuses) => statuses.every((status) => status === 200),
      );
    const after = await readModels(makuler);
    for (const [table, rows] of Object.entries(before))
      expect(after[table]).toEqual(expect.arrayContaining(lasting(table, rows)));
  };
  /** The analysts' sums grow by what is new; each of the other rows is about somebody. */
  const lasting = (table: string, rows: readonly string[]) => (table.startsWith('analytics') ? [] : [...rows]);

  /** Lets events pile up that no projection has seen, brings the outage about, and lets the projector meet it. */
  const through = async (begin: () => Promise<void>, end: () => Promise<void>, expected: readonly string[]) => {
    await settled();
    const [{ lease_ms: leaseMs }] = await sql(makuler, 'vault', 'select lease_ms from vault');
    await makuler.signal('projector', 'SIGSTOP');
    const before = await readModels(makuler);
    const unseen = await take();
    await begin();
    try {
      // Keys that were leased before are good until then.
      await delay(1.1 * leaseMs);
      await makuler.signal('projector', 'SIGCONT');
      await eventually(states, (items) => items?.some(({ state }) => expected.includes(state)));
      for (const person of people.slice(0, 2)) await expectHonest(person);
      const unread = await makuler.get(`/v1/customers/${unseen.customerId}`, {
        ...rights,
        headers: { 'makuler-after': unseen.after },
      });
      expect([unread.status, OUTAGE_CODES]).toEqual([503, expect.arrayContaining([unread.body.code])]);
      expect(await readModels(makuler)).toEqual(before);
    } finally {
      await makuler.signal('projector', 'SIGCONT');
      await end();
    }
    await expectAllBack(before);
  };

  it('while the vault hangs', async () => {
    await through(
      () => makuler.signal('vault', 'SIGSTOP'),
      () => makuler.signal('vault', 'SIGCONT'),
      ['paused'],
    );
  }, 90_000);

  it('while the vault’s database lets nobody in', async () => {
    await through(
      async () => {
        await sql(makuler, 'postgres', 'alter database vault allow_connections false');
        await sql(
          makuler,
          'postgres',
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = 'vault'`,
        );
        // Its callers hold keys under a lease that needs no database: they begin anew.
        await makuler.signal('api', 'SIGKILL');
      },
      async () => void (await sql(makuler, 'postgres', 'alter database vault allow_connections true')),
      ['paused'],
    );
  }, 90_000);

  it('while the vault is killed again and again', async () => {
    await settled();
    const before = await readModels(makuler);
    const person = people[0]!;
    for (let n = 0; n < 4; n++) {
      await makuler.signal('vault', 'SIGKILL');
      for (let k = 0; k < 5; k++) await expectHonest(person);
    }
    await eventually(
      () => expectHonest(person),
      (statuses) => statuses.every((status) => status === 200),
      60_000,
    );
    await take();
    await expectAllBack(before);
  }, 90_000);

  /** Every key of a person, as rows to be put back. */
  const scopesOf = async ({ customerId }: Person): Promise<string[]> => {
    const events = await sql(makuler, 'events', 'select convert_from(data, $1) as data from event where stream = $2', [
      'UTF8',
      `customer-${customerId}`,
    ]);
    return events.flatMap(({ data }) => Object.keys((JSON.parse(data) as { $sealed?: object }).$sealed ?? {}));
  };

  it.each(['while it runs', 'while it is stopped'])(
    'when a row of the keys was deleted %s',
    async (when) => {
      await settled();
      const before = await readModels(makuler);
      const person = people[1]!;
      const scopes = await scopesOf(person);
      expect(scopes.length).toBeGreaterThan(0);
      const rows = await sql(makuler, 'vault', 'select * from scope where scope_id = any($1)', [scopes]);
      expect(rows.length).toBe(new Set(scopes).size);
      if (when === STOPPED) await makuler.stop();
      await inVault(when, async (run) =>
        run(
          when.startsWith('deleted')
            ? 'delete from scope where scope_id = any($1)'
            : `update scope set sealed = sha512(sealed) where scope_id = any($1)`,
          [scopes],
        ),
      );
      if (when === STOPPED) await makuler.start();
      // Whoever had the keys in memory has them no more.
      else for (const part of ['api', 'projector'] as const) await makuler.signal(part, 'SIGKILL');
      await eventually(
        () => makuler.get('/health/live', { as: 'nobody' }),
        ({ status }) => status === 200,
      );
      const card = await eventually(
        () => makuler.get(`/v1/customers/${person.customerId}`, rights),
        ({ status }) => status >= 500,
      );
      expect(card.text).not.toContain('$state');
      await makuler.post('/v1/projections/customer_card/rebuild', {}, { as: 'operator' });
      await eventually(states, (items) =>
        items?.some(({ name, rebuild }) => name === 'customer_card' && rebuild?.state === 'failed'),
      );
      expect((await readModels(makuler))['customer_card.customer_card']).toEqual(before['customer_card.customer_card']);
      const [whole] = await Promise.all(ask(people[0]!));
      expect([whole!.status, whole!.body.name]).toEqual([200, people[0]!.name]);
      for (const { scope_id, bucket_id, state, identity, sealed } of rows)
        await sql(
          makuler,
          'vault',
          `insert into scope (scope_id, bucket_id, state, identity, sealed) values ($1, $2, $3, $4, $5)
         on conflict (scope_id) do update set sealed = excluded.sealed`,
          [scope_id, bucket_id, state, identity, sealed],
        );
      await expectAllBack(before);
    },
    110_000,
  );

  const inVault = async (
    when: string,
    work: (run: (text: string, values: unknown[]) => Promise<unknown>) => Promise<unknown>,
  ) => {
    const run = (text: string, values: unknown[]) => sql(makuler, 'vault', text, values);
    if (when !== STOPPED) return work(run);
    const server = await startEmbedded({
      directory: join(makuler.home, 'postgres'),
      logFile: join(makuler.directory, 'postgres.log'),
    });
    return work(run).finally(() => server.stop());
  };

  it('while the custodian is away: reads go on, an erasure waits for it, and is neither lost nor half done', async () => {
    await settled();
    const before = await readModels(makuler);
    const person = people.pop()!;
    await rename(makuler.custodian, `${makuler.custodian}.away`);
    const erasing = erase(person).catch((error: Error) => error);
    await eventually(
      () => makuler.get('/v1/erasures', rights),
      ({ body }) => body?.items.some(({ retrying }: { retrying: object[] }) => retrying.length > 0),
    );
    const card = await makuler.get(`/v1/customers/${person.customerId}`, rights);
    expect([card.status, card.body.name]).toEqual([200, person.name]);
    await expectHonest(people[0]!);
    await expect(stat(makuler.custodian)).rejects.toMatchObject({ code: 'ENOENT' });
    await rename(`${makuler.custodian}.away`, makuler.custodian);
    expect(await erasing).toBeUndefined();
    const gone = await makuler.get(`/v1/customers/${person.customerId}`, rights);
    expect(gone.body).toMatchObject({ name: { $state: 'erased' } });
    await settled();
    const others = (rows: readonly string[] = []) =>
      rows.filter((row) => people.some(({ customerId }) => row.includes(customerId)));
    const after = await readModels(makuler);
    for (const [table, rows] of Object.entries(before)) expect(others(after[table])).toEqual(others(rows));
  }, 110_000);

  it('when the custodian’s roots are another’s, and when it is gone: it refuses to start, and makes no new one', async () => {
    await settled();
    const before = await readModels(makuler);
    await makuler.stop();
    const roots = ['a', 'b'].map((mirror) => join(makuler.custodian, mirror, 'root-1.key'));
    const right = await Promise.all(roots.map((file) => readFile(file)));
    for (const [n, file] of roots.entries()) await writeFile(file, strangerOf(right[n]!));
    await expect(makuler.start()).rejects.toThrow(/root/);
    for (const [n, file] of roots.entries()) await writeFile(file, right[n]!);
    await rename(makuler.custodian, `${makuler.custodian}.away`);
    await expect(makuler.start()).rejects.toThrow(/custodian/);
    await expect(stat(makuler.custodian)).rejects.toMatchObject({ code: 'ENOENT' });
    await rename(`${makuler.custodian}.away`, makuler.custodian);
    await makuler.start();
    await expectAllBack(before);
  }, 110_000);
});

/** A root of another installation: same form, other 32 bytes. */
const strangerOf = (root: Buffer): Buffer => Buffer.concat([root.subarray(0, -32), randomBytes(32)]);
