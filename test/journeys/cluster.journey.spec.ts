import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { executeErasure } from '#erasure';
import { BullJobs, jobBackend } from '#jobs';
import { METRICS } from '#observability';
import { createPool } from '#postgres';
import { clockHeartbeat } from '#retention';
import { hasRedis } from '../conformance/jobs/redis-server.js';
import type { Plan } from '../faults/erasing.js';
import { Erasing } from '../faults/erasing.js';
import { persist } from '../faults/persistent-client.js';
import { rebuiltElsewhere } from '../faults/rebuilt-elsewhere.js';
import { ClusterLoad, customer } from './cluster-load.js';
import { lagIn, metricsIn } from './cluster-metrics.js';
import { debianPostgres } from './cluster-postgres.js';
import type { ReplicaName } from './cluster.js';
import { Cluster } from './cluster.js';
import { holdUp } from './held-command.js';
import { eventually } from './installation.js';
import { mintedKeys } from './minted-keys.js';

const BIN = debianPostgres();
const MISSING = [...(BIN ? [] : ['postgresql']), ...(hasRedis() ? [] : ['redis-server'])];
/** Issue of the cluster profile: whoever is active is followed by another within this time. */
const TAKE_OVER_MS = 10_000;
/** More than any read waits: what is answered after this was waited for as a command. */
const SLOW_MS = 7_000;
/** Far more than anything here takes, for machines that do much else. */
const LONG_MS = 150_000;
const CUSTOMER = customer(0);
const PROJECTORS = ['projector-0', 'projector-1'] as const;
const VAULTS = ['vault-a', 'vault-b'] as const;
const WITH_METRICS = [...VAULTS, ...PROJECTORS, 'api-0', 'api-1', 'worker-0', 'worker-1'] as const;
const ACTIVE = '"event":"active"';

if (MISSING.length > 0)
  describe.skip(`the cluster: ${MISSING.join(' and ')} not installed (Debian packages)`, () =>
    it('is skipped', () => {}));
else
  describe('a cluster of two of each, under load', () => {
    let cluster: Cluster;
    let load: ClusterLoad;
    let erasing: Erasing;
    const erased: string[] = [];
    /** Customers that the tests themselves registered. */
    let registered = 0;

    beforeAll(async () => {
      cluster = await Cluster.start(BIN!);
      erasing = new Erasing(cluster);
      load = new ClusterLoad(cluster, 6);
    }, 180_000);
    afterAll(() => cluster?.destroy(), 60_000);

    const register = async (api?: number) => {
      const options = { body: CUSTOMER, purpose: 'avtale', ...(api === undefined ? {} : { api }) };
      const { fate, reply } = await persist(cluster, 'POST', '/v1/customers', options);
      if (fate !== 'acknowledged') throw new Error(`nobody was registered: ${reply?.text}`);
      registered++;
      return { customerId: reply!.body.customerId as string, after: reply!.headers.get('makuler-position')! };
    };
    const card = (customerId: string, after?: string, api?: number) =>
      cluster.get(`/v1/customers/${customerId}`, {
        ...{ as: 'compliance', purpose: 'rettigheter', timeoutMs: 8_000 },
        ...(after === undefined ? {} : { headers: { 'makuler-after': after } }),
        ...(api === undefined ? {} : { api }),
      });
    /** Resolves when a command that is sent now is acknowledged, stands in the read models, and is read at both apis. */
    const goesOn = async (): Promise<void> => {
      const { customerId, after } = await register();
      for (const api of [0, 1])
        await eventually(
          () => card(customerId, after, api),
          ({ status }) => status === 200,
        );
    };
    /** The one of two that is active: it says so where it shows its numbers. */
    const activeOf = async (names: readonly ReplicaName[]): Promise<ReplicaName> => {
      const ready = async (name: ReplicaName) => {
        const { METRICS_PORT } = cluster.process(name).spec.environment;
        const answer = await fetch(`http://127.0.0.1:${METRICS_PORT}/health/ready`).catch(() => undefined);
        return answer?.status === 200;
      };
      return eventually(
        async () => {
          const states = await Promise.all(names.map(ready));
          return names.filter((_, index) => states[index]);
        },
        (active) => active.length === 1,
      ).then(([active]) => active!);
    };
    const standing = async (names: readonly ReplicaName[]) => {
      const active = await activeOf(names);
      return { active: cluster.process(active), standby: cluster.process(names.find((name) => name !== active)!) };
    };
    /** Who may write: changes with the holder and with nothing else. */
    const leaseIn = async (database: 'readmodels' | 'vault') =>
      (await cluster.database(database).query('select name, number, token from leases.lease')).rows;
    const plans = (count: number): Promise<readonly Plan[]> =>
      Promise.all(
        Array.from({ length: count }, async () => {
          const { customerId } = await register();
          erased.push(customerId);
          return erasing.approve(await erasing.plan(customerId));
        }),
      );
    const settled = async (underWay: readonly (readonly [Plan, string])[]) =>
      Promise.all(underWay.map(([plan, after]) => erasing.settled(plan, after, 100_000)));
    const execute = (some: readonly Plan[]) =>
      Promise.all(some.map(async (plan) => [plan, await erasing.execute(plan)] as const));

    it('shows through either api what was done through the other', async () => {
      for (const [there, here] of [
        [0, 1],
        [1, 0],
      ] as const) {
        const { customerId, after } = await register(there);
        expect((await card(customerId, after, here)).body).toMatchObject({ customerId, name: CUSTOMER.name });
      }
    });

    it('has a login for analysts, who see their views and nothing else', async () => {
      const asked = async (sql: string, database: 'readmodels' | 'control' = 'readmodels') => {
        const pool = createPool(cluster.analystIn(database), { name: 'a test', max: 1 });
        try {
          return (await pool.query<{ one: number }>(sql)).rows.map(({ one }) => one);
        } catch (error) {
          return (((error as Error).cause ?? error) as { code: string }).code;
        } finally {
          await pool.end();
        }
      };
      expect(await asked('select 1 as one from analytics.sales_by_month where false')).toEqual([]);
      const forbidden = '42501';
      for (const sql of ['select 1 from customer_card.customer_card', 'select 1 from analytics.sales'])
        expect([sql, await asked(sql)]).toEqual([sql, forbidden]);
      expect(await asked('create table more ()')).toBe('25006'); // read-only
      expect(await asked('select 1', 'control')).toBe(forbidden);
    });

    it('answers a command that is sent to the other api again as the first did', async () => {
      const [first, again] = [0, 1].map((api) => ({
        purpose: 'avtale',
        key: '5f0c2a52-0000-4000-8000-000000000001',
        api,
      }));
      const made = await cluster.post('/v1/customers', CUSTOMER, first);
      const same = await cluster.post('/v1/customers', CUSTOMER, again);
      registered++;
      expect([same.status, same.body.customerId]).toEqual([201, made.body.customerId]);
      expect(same.headers.get('idempotency-replayed')).toBe('true');
    });

    it(
      'answers what is under way before an api ends, and nothing with 5xx meanwhile',
      async () => {
        const faults = cluster.faults.length;
        const { customerId, after } = await register();
        await eventually(
          () => card(customerId, after),
          ({ status }) => status === 200,
        );
        const key = randomUUID();
        const held = await holdUp(cluster, '/v1/customers', key);
        const slow = cluster.post('/v1/customers', CUSTOMER, { purpose: 'avtale', key, api: 0 });
        await held.isHeld();
        const projectors = PROJECTORS.map((name) => cluster.process(name));
        for (const projector of projectors) projector.signal('SIGSTOP');
        // Reads that wait for what the log has and the read models have not.
        const { after: later } = await register(1);
        const waiting = Array.from({ length: 5 }, () => card(customerId, later, 0));
        // Sent later and answered: by now those have come in.
        await register(0);
        const lag = async () => lagIn(await cluster.metricsOf('api-1'), 'customer_card');
        const lagBefore = await eventually(lag, (seconds) => seconds > 0);
        const ended = cluster.process('api-0').kill('SIGTERM');
        const told = performance.now();
        await eventually(
          () =>
            cluster.get('/health/live', { as: 'nobody', api: 0 }).then(
              () => 'there',
              () => 'gone',
            ),
          (state) => state === 'gone',
        );
        await eventually(lag, (seconds) => seconds > lagBefore);
        for (const projector of projectors) projector.signal('SIGCONT');
        const answers = await Promise.allSettled(waiting);
        await delay(told + SLOW_MS - performance.now());
        await held.letGo();
        const { status, body } = await slow;
        registered++;
        const how = await ended;
        await cluster.process('api-0').start();
        expect(status).toBe(201);
        const { rowCount } = await cluster
          .database('events')
          .query('select from event where stream = $1', [`customer-${body.customerId}`]);
        expect(rowCount).toBeGreaterThan(0);
        expect(how).toBe('code 0');
        // None is cut off. On a busy machine some have waited as long as a read may, and are told so.
        expect(answers.filter(({ status }) => status === 'rejected')).toEqual([]);
        expect(cluster.faults.slice(faults).filter(({ text }) => !text.includes('projection-behind'))).toEqual([]);
      },
      LONG_MS,
    );

    it(
      'hands over the jobs of a worker that is told to end',
      async () => {
        const underWay = await execute(await plans(4));
        const [first] = await Promise.race(
          (['worker-0', 'worker-1'] as const).map(async (name) => {
            const worker = cluster.process(name);
            const before = worker.output.length;
            await worker.hears(() => worker.output.slice(before).includes(executeErasure.name));
            return [name] as const;
          }),
        );
        expect(await cluster.process(first).kill('SIGTERM')).toBe('code 0');
        expect(new Set(await settled(underWay))).toEqual(new Set(['erased']));
        await cluster.process(first).start();
      },
      LONG_MS,
    );

    it(
      'finishes the erasures whose jobs were in a Redis that came back empty',
      async () => {
        const backend = jobBackend({ databaseUrl: '', redisUrl: cluster.redisUrl });
        await backend.prepare();
        const jobs = new BullJobs(backend);
        const workers = (['worker-0', 'worker-1'] as const).map((name) => cluster.process(name));
        const [begun, waiting] = Map.groupBy(await plans(4), (_, index) => index < 1).values();
        const first = await execute(begun!);
        for (const worker of workers) worker.signal('SIGSTOP');
        const rest = await execute(waiting!);
        await eventually(
          () => jobs.counts(executeErasure),
          (counts) => counts.waiting >= rest.length,
        );
        await cluster.emptyRedis();
        expect(await jobs.counts(executeErasure)).toMatchObject({ waiting: 0, active: 0, delayed: 0 });
        for (const worker of workers) worker.signal('SIGCONT');
        expect(new Set(await settled([...first, ...rest]))).toEqual(new Set(['erased']));
        await eventually(
          () => jobs.isScheduled(clockHeartbeat),
          (scheduled) => scheduled,
        );
        await jobs.close();
        await backend.close();
      },
      LONG_MS,
    );

    // Until what was written afterwards is in the read models; until somebody new has keys.
    it.each([
      ['projector', PROJECTORS, () => goesOn()],
      ['vault', VAULTS, () => register()],
    ] as const)(
      'goes on within 10 s when the active %s is killed',
      async (_, names, onward) => {
        const { active, standby } = await standing(names);
        const begun = performance.now();
        await active.kill('SIGKILL');
        await onward();
        expect(performance.now() - begun).toBeLessThan(TAKE_OVER_MS);
        await goesOn();
        expect(await activeOf(names)).toBe(standby.name);
        await active.start();
        expect(await activeOf(names)).toBe(standby.name);
      },
      LONG_MS,
    );

    it(
      'goes on within 10 s when the machine of the active projector and the active vault vanishes; back again, they write nothing',
      async () => {
        const pairs = [await standing(PROJECTORS), await standing(VAULTS)];
        const said = pairs.map(({ standby }) => standby.output.length);
        // So that both are at work.
        const underWay = Array.from({ length: 12 }, () => register());
        const begun = performance.now();
        for (const { active } of pairs) active.signal('SIGSTOP');
        await Promise.all(
          pairs.map(({ standby }, n) => standby.hears(() => standby.output.slice(said[n]).includes(ACTIVE))),
        );
        expect(performance.now() - begun).toBeLessThan(TAKE_OVER_MS);
        await goesOn();
        await Promise.all(underWay);
        const leases = await Promise.all([leaseIn('readmodels'), leaseIn('vault')]);
        const heard = pairs.map(({ active }) => active.output.length);
        for (const { active } of pairs) active.signal('SIGCONT');
        await Promise.all(
          pairs.map(({ active }, n) => active.hears(() => active.output.slice(heard[n]).includes('"event":"standby"'))),
        );
        await goesOn();
        expect(await Promise.all([leaseIn('readmodels'), leaseIn('vault')])).toEqual(leases);
        expect(await Promise.all([PROJECTORS, VAULTS].map(activeOf))).toEqual(pairs.map(({ standby }) => standby.name));
      },
      LONG_MS,
    );

    it.each(['SIGTERM', 'SIGKILL'] as const)(
      'goes on by itself when the event node is restarted by %s',
      async (signal) => {
        const ends = unaskedEnds();
        const node = cluster.process('event-node');
        await node.kill(signal);
        await node.start();
        await goesOn();
        expect(unaskedEnds()).toEqual(ends);
      },
      LONG_MS,
    );

    it.each([
      ['fast', 'SIGINT'],
      ['immediate', 'SIGQUIT'],
    ] as const)(
      'goes on by itself when PostgreSQL is restarted (%s)',
      async (_, signal) => {
        const servers = [cluster.readModelServer, cluster.vaultServer];
        const ends = unaskedEnds();
        await Promise.all(servers.map((server) => server.stop(signal)));
        await Promise.all(servers.map((server) => server.start()));
        await goesOn();
        expect(unaskedEnds()).toEqual(ends);
      },
      LONG_MS,
    );

    describe('at the end', () => {
      beforeAll(() => load.stop(), LONG_MS);

      it('holds every acknowledged command in the log, once, and none that nobody sent', async () => {
        expect(load.done.filter(({ fate }) => fate !== 'acknowledged')).toEqual([]);
        const { rows } = await cluster.database('events').query<{ type: string; streams: string; events: string }>(
          `select type, count(distinct stream) as streams, count(*) as events from event
            where type in ('company.registered', 'customer.registered', 'purchase.recorded') group by type order by type`,
        );
        const sent = (kind: string) => load.done.filter((command) => command.kind === kind);
        const [customers, purchases] = [sent('register').length + registered, sent('purchase').length].map(String);
        expect(rows).toEqual([
          { type: 'company.registered', streams: customers, events: customers },
          { type: 'customer.registered', streams: customers, events: customers },
          { type: 'purchase.recorded', streams: purchases, events: purchases },
        ]);
        const ids = load.done.map(({ reply }) => reply!.body.purchaseId ?? reply!.body.customerId);
        expect(new Set(ids).size).toBe(ids.length);
      });

      it(
        'has read models that hold each event once, as a rebuild would make them',
        async () => {
          const { live, rebuilt } = await rebuiltElsewhere(cluster);
          expect(live).toEqual(rebuilt);
          expect(live['purchase_history.purchase_history']).toHaveLength(
            load.done.filter(({ kind }) => kind === 'purchase').length,
          );
        },
        LONG_MS,
      );

      it('reads nothing of the erased, each of whom was erased once', async () => {
        for (const customerId of erased) {
          const { body } = await card(customerId);
          expect([body.name, body.email, body.phone]).toEqual(Array(3).fill({ $state: 'erased' }));
        }
        const { rows } = await cluster
          .database('events')
          .query<{ count: string }>(
            `select count(*) from event where type = 'subject.erased' group by stream having stream like 'customer-%'`,
          );
        expect(rows.map(({ count }) => count)).toEqual(erased.map(() => '1'));
      });

      it('shows every metric that is declared, in one process or another, and none that is not', async () => {
        expect((await cluster.get('/v1/policy', { as: 'nobody', api: 0 })).status).toBe(401);
        const shown = await Promise.all(WITH_METRICS.map((name) => cluster.metricsOf(name)));
        expect([...new Set(shown.flatMap(metricsIn))].toSorted()).toEqual(Object.keys(METRICS).toSorted());
      });

      it('has minted each key once, in one life of the vault, for one owner', async () => {
        const { dated, ...minted } = await mintedKeys(cluster);
        expect(minted).toEqual({ more: 0, lives: 1, scattered: 0, twice: 0 });
        expect(dated).toBeGreaterThan(registered);
      });
    });

    const unaskedEnds = () => cluster.processes.flatMap(({ name, unasked }) => unasked.map((how) => `${name}: ${how}`));
  });
