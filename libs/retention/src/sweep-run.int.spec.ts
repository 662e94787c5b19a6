import type { CommandBus } from '@nestjs/cqrs';
import { CustomerRegistered } from '#customers';
import type { Draft } from '#events';
import { SubjectErased } from '#events';
import type { JobRun } from '#jobs';
import type { ActorId, CustomerId, OwnerRef, PurchaseId, ServiceCaseId } from '#kernel';
import { inContext, MakulerError, newId, subjectOwner, systemContext } from '#kernel';
import type { Pool } from '#postgres';
import { createDatabase, createPool } from '#postgres';
import { PurchaseInvoiced } from '#purchases';
import { ServiceCaseAdvanced, ServiceCaseOpened } from '#service';
import { killedAt, LedgerDouble, policyOf, RunningProjections, SetClock, ShredderDouble, testDatabase } from '#testing';
import { BeginSweep, BeginSweepHandler } from './begin-sweep.js';
import { ClockGuard } from './clock-guard.js';
import { CurrentHoldings } from './current-holdings.js';
import { Due } from './due.js';
import { Holdings } from './holdings.js';
import { holdings } from './holdings.projection.js';
import { OwnerExpiry } from './owner-expiry.js';
import { NightlySweepProcessor } from './sweep.jobs.js';
import { DeferralEnd, SweepRun } from './sweep-run.js';
import { sweeps, SWEEPS_STREAM } from './sweeps.js';

const policy = policyOf(
  [
    { category: 'contact', trigger: 'last-activity', maximum: 'P24M', waitsFor: ['case-closed'] },
    {
      ...{ category: 'billing', trigger: 'fiscal-year-end', minimum: 'P5Y', maximum: 'P5Y' },
      ...{ purpose: 'bokforing', basis: 'art6-1-c', law: 'bokføringsloven § 13' },
    },
    { category: 'service', trigger: 'case-closed', maximum: 'P3Y', waitsFor: ['case-closed'] },
  ],
  { sweep: { scopes: 3, percent: 2 } },
);
const system = systemContext(newId<ActorId>());
interface Process {
  within<T extends object>(whole: T): T;
}
const unharmed: Process = { within: (whole) => whole };

describe('a sweep', () => {
  let database: { url: string; drop(): Promise<void> };
  let pool: Pool;
  let clock: SetClock;
  let ledger: LedgerDouble;
  let shredder: ShredderDouble;
  let running: RunningProjections;

  beforeEach(async () => {
    database = await testDatabase();
    pool = createPool(database.url, { name: 'test' });
    clock = new SetClock(new Date('2026-06-01T12:00:00Z'));
    ledger = new LedgerDouble(clock, policy.version);
    shredder = new ShredderDouble(ledger.vault);
    running = await RunningProjections.start(pool, ledger, [holdings]);
  });
  afterEach(async () => {
    await running.stop();
    await pool.end();
    await database.drop();
  });

  const as = <T>(work: () => Promise<T>) => inContext(system, work);
  const append = (stream: string, ...drafts: Draft<any>[]) =>
    as(() => ledger.append({ stream, expected: 'any', drafts }));
  const person = async (): Promise<OwnerRef> => {
    const customerId = newId<CustomerId>();
    await append(
      `customer-${customerId}`,
      CustomerRegistered.of(
        {
          ...{ customerId, relationship: 'customer', sector: 'private', region: null, name: 'Kari', phone: null },
          ...{ email: null, companyId: null, address: null, sourceKey: null },
        },
        { partitions: { contact: newId() } },
      ),
    );
    return subjectOwner(customerId);
  };
  const invoice = (buyer: OwnerRef) => {
    const voucher = {
      ...{ number: '1', date: '2026-03-10', dueDate: null, delivery: null, currency: 'NOK', lines: [] },
      buyer: { name: 'Kari', organisationNumber: null, address: null },
    };
    const data = { billedId: buyer.id, sector: 'private' as const, invoice: voucher, sourceKey: null };
    return append(`purchase-${newId<PurchaseId>()}`, PurchaseInvoiced.of(data, { owners: { buyer } }));
  };
  const openCase = async (customer: OwnerRef) => {
    const caseId = newId<ServiceCaseId>();
    const data = {
      ...{ kind: 'repair' as const, itemType: 'lathe', day: '2026-04-01', customerId: customer.id as CustomerId },
      ...{ purchaseId: null, serialNumber: null, description: 'kaputt', sourceKey: null },
    };
    await append(`service-${caseId}`, ServiceCaseOpened.of(data, { owners: { customer } }));
    return caseId;
  };
  /** Erased, with some categories kept, as an erasure leaves it. */
  const erased = async (
    owner: OwnerRef,
    gone: string[] = [],
    except: { category: string; partition: string }[] = [],
  ) => {
    const orderId = newId();
    await shredder.fence({ orderId, owner, kind: 'erasure', except });
    const scopes = (await shredder.scopesOf(owner)).filter(({ category }) => gone.includes(category));
    const scopeIds = scopes.map(({ scopeId }) => scopeId);
    await shredder.shred({ orderId, owner, scopeIds, kind: 'erasure' });
    const data = { ownerId: owner.id, ownerKind: owner.kind, categories: { contact: 1 }, retained: [] };
    await append(`customer-${owner.id}`, SubjectErased.of(data));
  };
  const partsOf = ({ within }: Process = unharmed) => {
    const current = new CurrentHoldings(ledger, running.states, new Holdings(createDatabase(pool), policy));
    const guard = new ClockGuard(ledger, clock);
    const due = new Due(current, policy);
    const expiry = new OwnerExpiry(within(ledger), current, within(shredder), guard);
    return {
      begin: new BeginSweepHandler(ledger, guard, due, clock),
      run: new SweepRun(within(ledger), guard, due, expiry, clock),
      deferral: new DeferralEnd(guard, current, expiry, clock),
    };
  };
  const begin = async () => (await as(() => partsOf().begin.execute())).sweep;
  const run = (sweepId: string, process?: Process) => as(() => partsOf(process).run.run(sweepId));
  const settle = (process?: Process) => as(() => partsOf(process).run.settle());
  const goTo = async (instant: string) => {
    clock.set(new Date(instant));
    await as(() => new ClockGuard(ledger, clock).confirm());
  };
  const liveOf = async (owner: OwnerRef) =>
    (await shredder.scopesOf(owner)).filter(({ state }) => state === 'live').map(({ category }) => category);
  const typesOf = async (owner: OwnerRef) => (await ledger.read(`customer-${owner.id}`)).map(({ type }) => type);

  it('shreds what is past its maximum, on the day after and not before, and nothing else', async () => {
    const owner = await person();
    await invoice(owner);
    await goTo('2028-03-10T12:00:00Z');
    expect(await run((await begin()).sweepId)).toBe(0);
    await goTo('2028-03-11T12:00:00Z');
    expect(await run((await begin()).sweepId)).toBe(1);
    expect(await liveOf(owner)).toEqual(['billing']);
    expect((await typesOf(owner)).slice(1)).toEqual(['retention.expiry-ordered', 'scope.expired']);
    const { state } = await ledger.load(sweeps, SWEEPS_STREAM);
    expect([...state.all.values()].map((sweep) => [sweep.state, sweep.shredded])).toEqual([
      ['finished', 0],
      ['finished', 1],
    ]);
  });

  it('shreds what a law kept of an erased person once its day has come, without approval, and then closes for ever', async () => {
    const owner = await person();
    await invoice(owner);
    await erased(owner, ['contact']);
    await goTo('2031-12-31T12:00:00Z');
    expect(await settle()).toBe(0);
    await goTo('2032-01-01T12:00:00Z');
    expect((await begin()).due).toEqual({ billing: 1 });
    expect(await settle()).toBe(1);
    expect(await liveOf(owner)).toEqual([]);
    expect(shredder.closed.has(owner.id)).toBe(true);
  });

  it('shreds what waited for a case of an erased person when the case is closed', async () => {
    const owner = await person();
    const caseId = await openCase(owner);
    await erased(owner);
    const end = () => as(() => partsOf().deferral.run(caseId));
    expect(await end()).toBe(0);
    await append(`service-${caseId}`, ServiceCaseAdvanced.of({ status: 'closed', day: '2026-05-01' }));
    expect(await end()).toBe(2);
    expect(shredder.closed.has(owner.id)).toBe(true);
  });

  it('leaves somebody alone whose case was closed but who was not erased', async () => {
    const owner = await person();
    const caseId = await openCase(owner);
    await append(`service-${caseId}`, ServiceCaseAdvanced.of({ status: 'closed', day: '2026-05-01' }));
    expect(await as(() => partsOf().deferral.run(caseId))).toBe(0);
    expect(await liveOf(owner)).toHaveLength(2);
  });

  it('waits for an approval when it is unusually large, and destroys nothing meanwhile', async () => {
    const owners = await Promise.all(Array.from({ length: 4 }, person));
    await goTo('2028-07-01T12:00:00Z');
    const sweep = await begin();
    expect(sweep).toMatchObject({ state: 'planned', reason: 'large', due: { contact: 4 } });
    expect(await run(sweep.sweepId)).toBe(0);
    for (const owner of owners) expect(await liveOf(owner)).toEqual(['contact']);
  });

  it('waits while the clock is not confirmed', async () => {
    const owner = await person();
    await goTo('2026-06-01T12:00:00Z');
    clock.set(new Date('2028-07-01T12:00:00Z'));
    await expect(begin()).rejects.toMatchObject({ code: 'clock-implausible' });
    await expect(settle()).rejects.toMatchObject({ code: 'clock-implausible' });
    expect(await liveOf(owner)).toEqual(['contact']);
  });

  it('records what a cut-off order destroyed, though the rows were built anew since and know nothing of it', async () => {
    const owner = await person();
    await goTo('2028-07-01T12:00:00Z');
    const { sweepId } = await begin();
    // Decides, looks, orders, asks for a receipt, fences, looks again, shreds, and dies before it can say so.
    await run(sweepId, killedAt(6, 'after')).catch((error: Error) => expect(error.message).toBe('killed'));
    expect(await liveOf(owner)).toEqual([]);
    expect((await typesOf(owner)).at(-1)).toBe('retention.expiry-ordered');
    await running.caughtUp();
    await pool.query('delete from holdings.holding where owner_id = $1', [owner.id]);
    expect(await settle()).toBe(1);
    const told = (await ledger.read(`customer-${owner.id}`)).at(-1);
    expect([told?.type, told?.data]).toEqual([
      'scope.expired',
      expect.objectContaining({ category: 'contact', count: 1 }),
    ]);
    expect(await settle()).toBe(0);
  });

  it('keeps what a new case has come to hold since the sweep read it', async () => {
    const owner = await person();
    await goTo('2028-07-01T12:00:00Z');
    const { sweepId } = await begin();
    const buying = Object.assign(new ShredderDouble(ledger.vault), {
      fence: async (order: Parameters<typeof shredder.fence>[0]) => {
        await openCase(owner);
        await shredder.fence(order);
      },
      shred: (order: Parameters<typeof shredder.shred>[0]) => shredder.shred(order),
      release: (...given: Parameters<typeof shredder.release>) => shredder.release(...given),
      receiptOf: (orderId: string) => shredder.receiptOf(orderId),
    });
    expect(await run(sweepId, { within: (whole) => ((whole as unknown) === shredder ? buying : whole) as never })).toBe(
      0,
    );
    expect((await liveOf(owner)).sort()).toEqual(['contact', 'service']);
    expect((await typesOf(owner)).slice(1)).toEqual(['retention.expiry-ordered', 'retention.expiry-dropped']);
    await invoice(owner);
  });

  it('goes on past an owner whose key is damaged, and says so in the end', async () => {
    const owners = [await person(), await person()];
    await goTo('2028-07-01T12:00:00Z');
    const { sweepId } = await begin();
    const first = [...owners].sort((a, b) => (a.id < b.id ? -1 : 1))[0]!;
    const damaged = new Proxy(shredder, {
      get: (target, name) =>
        name === 'fence'
          ? (order: Parameters<typeof shredder.fence>[0]) =>
              order.owner.id === first.id ? Promise.reject(new MakulerError('key-damaged')) : target.fence(order)
          : (Reflect.get(target, name, target) as (...args: unknown[]) => unknown).bind(target),
    });
    const process: Process = { within: (whole) => ((whole as unknown) === shredder ? damaged : whole) as never };
    await expect(run(sweepId, process)).rejects.toMatchObject({ code: 'key-damaged' });
    expect((await Promise.all(owners.map(liveOf))).flat()).toEqual(['contact']);
    const begun: unknown[] = [];
    const commands = { execute: async (command: unknown) => begun.push(command) } as unknown as CommandBus;
    let serving = false;
    const vault = { gate: async () => ({ serving }) } as never;
    const nightly = new NightlySweepProcessor(partsOf(process).run, commands, vault);
    // Behind a closed gate not even a plan is written.
    await expect(nightly.process({}, { signal: new AbortController().signal } as JobRun)).rejects.toMatchObject({
      code: 'vault-unavailable',
    });
    expect(begun).toEqual([]);
    serving = true;
    await expect(nightly.process({}, { signal: new AbortController().signal } as JobRun)).rejects.toMatchObject({
      code: 'key-damaged',
    });
    expect(begun).toEqual([new BeginSweep()]);
  });

  it('leaves a person to the erasure that is under way', async () => {
    const owner = await person();
    await goTo('2028-07-01T12:00:00Z');
    const fenced = { type: 'erasure.fenced', version: 1, fields: {}, upcasts: {} };
    await append(`customer-${owner.id}`, { event: fenced as never, data: {} });
    expect(await run((await begin()).sweepId)).toBe(0);
    expect(await liveOf(owner)).toEqual(['contact']);
  });

  it.each(['before', 'after'] as const)(
    'killed %s any call to another system is finished by the next run',
    async (when) => {
      let kills = 0;
      for (let nth = 0; ; nth++) {
        await goTo('2026-06-01T12:00:00Z');
        const owner = await person();
        await invoice(owner);
        await erased(owner, ['contact']);
        await goTo('2032-01-01T12:00:00Z');
        const process = killedAt(nth, when);
        await settle(process).catch((error: Error) => expect(error.message).toBe('killed'));
        if (!process.wasKilled()) break;
        kills++;
        await settle();
        expect(await liveOf(owner)).toEqual([]);
        expect(shredder.closed.has(owner.id)).toBe(true);
        expect((await typesOf(owner)).slice(2)).toEqual(['retention.expiry-ordered', 'scope.expired']);
      }
      expect(kills).toBeGreaterThan(5);
    },
  );
});
