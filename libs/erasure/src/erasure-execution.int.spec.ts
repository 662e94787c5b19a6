import { CustomerRegistered } from '#customers';
import type { Draft } from '#events';
import type { ActorId, CustomerId, ErasureId, OwnerRef, PurchaseId, ServiceCaseId } from '#kernel';
import { inContext, MakulerError, newId, subjectOwner, systemContext } from '#kernel';
import { isEvent } from '#ledger';
import type { Pool } from '#postgres';
import { createDatabase, createPool } from '#postgres';
import { PurchaseInvoiced } from '#purchases';
import { ClockGuard, CurrentHoldings, Holdings, holdings } from '#retention';
import { ServiceCaseAdvanced, ServiceCaseOpened, ServiceNoteAdded } from '#service';
import { SigningKeys } from '#signing';
import {
  killedAt,
  LedgerDouble,
  OperationsDouble,
  policyOf,
  RunningProjections,
  SetClock,
  ShredderDouble,
  testDatabase,
} from '#testing';
import { verifyCertificate } from './certificate.js';
import { erasureCase, erasureStream } from './erasure-case.js';
import { planErasure, requestExecution } from './erasure-decisions.js';
import { ErasureItemsListed } from './erasure.events.js';
import { ErasureExecution } from './erasure-execution.js';
import { ErasurePlanner } from './planner.js';
import { Statements } from './statements.js';

const policy = policyOf([
  { category: 'contact', trigger: 'last-activity', maximum: 'P24M', waitsFor: ['case-closed'] },
  {
    ...{ category: 'billing', trigger: 'fiscal-year-end', minimum: 'P5Y', maximum: 'P5Y', law: 'bokføringsloven § 13' },
    ...{ purpose: 'bokforing', basis: 'art6-1-c' },
  },
  { category: 'service', trigger: 'case-closed', maximum: 'P3Y', waitsFor: ['case-closed'] },
  { category: 'request', trigger: 'request-opened', maximum: 'P3Y' },
]);
const system = systemContext(newId<ActorId>());

const unharmed = { within: <T extends object>(whole: T): T => whole };

describe('the execution of an erasure', () => {
  let database: { url: string; drop(): Promise<void> };
  let pool: Pool;
  let keys: SigningKeys;
  let running: RunningProjections;
  const clock = new SetClock(new Date('2026-06-01T12:00:00Z'));
  const ledger = new LedgerDouble(clock);
  const shredder = new ShredderDouble(ledger.vault);
  const operations = new OperationsDouble(shredder, clock);
  const guard = new ClockGuard(ledger, clock);

  beforeAll(async () => {
    database = await testDatabase();
    pool = createPool(database.url, { name: 'test' });
    keys = new SigningKeys(pool);
    running = await RunningProjections.start(pool, ledger, [holdings]);
  });
  afterAll(async () => {
    await running.stop();
    await pool.end();
    await database.drop();
  });

  const append = (stream: string, ...drafts: Draft<any>[]) =>
    inContext(system, () => ledger.append({ stream, expected: 'any', drafts }));
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
    const purchaseId = newId<PurchaseId>();
    const voucher = {
      ...{ number: '1', date: '2026-03-10', dueDate: null, delivery: null, currency: 'NOK', lines: [] },
      buyer: { name: 'Kari', organisationNumber: null, address: null },
    };
    const data = { billedId: buyer.id, sector: 'private' as const, invoice: voucher, sourceKey: null };
    return append(`purchase-${purchaseId}`, PurchaseInvoiced.of(data, { owners: { buyer } }));
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
  const plannerOver = (vault: ShredderDouble, process: { within<T extends object>(whole: T): T } = unharmed) =>
    new ErasurePlanner(
      process.within(ledger),
      new CurrentHoldings(ledger, running.states, new Holdings(createDatabase(pool), policy)),
      process.within(vault),
      policy,
      clock,
    );
  const planner = (process: { within<T extends object>(whole: T): T } = unharmed) => plannerOver(shredder, process);
  const statements = (process: { within<T extends object>(whole: T): T } = unharmed) =>
    new Statements(keys, process.within(operations), clock);
  const execution = (process: { within<T extends object>(whole: T): T } = unharmed) =>
    new ErasureExecution(
      process.within(ledger),
      planner(process),
      process.within(shredder),
      statements(process),
      guard,
    );
  const planned = async (owner: OwnerRef): Promise<ErasureId> => {
    const erasureId = newId<ErasureId>();
    const salt = 'ab'.repeat(32);
    const plan = await planner().compute(owner, erasureId, salt);
    const whole = { ...plan, erasureId, owner, ground: 'subject-request', salt, note: null };
    const decide = (decision: Parameters<typeof ledger.decide<typeof erasureCase.initial>>[2]) =>
      inContext(system, () => ledger.decide(erasureCase, erasureStream(owner), decision));
    await decide((state) => planErasure(state, whole));
    await decide((state) => requestExecution(state, erasureId, false));
    return erasureId;
  };
  const execute = (owner: OwnerRef, erasureId: ErasureId, process = unharmed) =>
    inContext(system, () => execution(process).run(owner, erasureId));
  const stateOf = async (owner: OwnerRef) => (await ledger.load(erasureCase, erasureStream(owner))).state;
  const typesOf = async (owner: OwnerRef) => (await ledger.read(erasureStream(owner))).map(({ type }) => type);
  const liveOf = async (owner: OwnerRef) =>
    (await shredder.scopesOf(owner)).filter(({ state }) => state === 'live').map(({ category }) => category);

  it('destroys everything that nothing keeps, and closes the person for ever', async () => {
    const owner = await person();
    await execute(owner, await planned(owner));
    expect(await stateOf(owner)).toMatchObject({ status: 'erased', plan: { items: { state: 'erased' } } });
    expect(await liveOf(owner)).toEqual([]);
    expect(shredder.closed.has(owner.id)).toBe(true);
  });

  it('destroys what a plan left that was never finished: its parts too list what the person had', async () => {
    const owner = await person();
    const left = newId<ErasureId>();
    const place = { ownerId: owner.id, erasureId: left, list: newId(), part: 0 };
    const items = [{ category: 'contact', partition: newId(), action: 'shred', why: 'nothing keeps it' }] as const;
    await append(erasureStream(owner), ErasureItemsListed.of({ ...place, items }, { partitions: { request: left } }));
    const listed = async () =>
      (await ledger.read(erasureStream(owner))).flatMap((event) =>
        isEvent(event, ErasureItemsListed) ? [event.data.items.state] : [],
      );
    expect(await listed()).toEqual(['value']);
    await execute(owner, await planned(owner));
    expect(await listed()).toEqual(['erased']);
  });

  it('retains what a law keeps and defers what is still necessary, under the fence', async () => {
    const owner = await person();
    await invoice(owner);
    const caseId = await openCase(owner);
    await execute(owner, await planned(owner));
    expect((await liveOf(owner)).sort()).toEqual(['billing', 'contact', 'service']);
    expect(shredder.closed.has(owner.id)).toBe(false);
    const note = ServiceNoteAdded.of({ text: 'part has come' }, { owners: { customer: owner } });
    await append(`service-${caseId}`, note);
    await expect(invoice(owner)).rejects.toMatchObject({ code: 'subject-closed' });
    await expect(openCase(owner)).rejects.toMatchObject({ code: 'subject-closed' });
  });

  it('gives a certificate that anybody can verify, with counts and laws and without an id of the person', async () => {
    const owner = await person();
    await invoice(owner);
    await execute(owner, await planned(owner));
    const state = await stateOf(owner);
    if (state.status !== 'erased') throw new Error('not erased');
    const claims = await verifyCertificate(state.certificate, await keys.published());
    expect(claims).toMatchObject({
      destroyed: { contact: 1, request: 1 },
      version: 2,
      backupsClearedBy: expect.any(String),
      kept: [{ category: 'billing', action: 'retain', count: 1, until: '2031-12-31', law: 'bokføringsloven § 13' }],
    });
    expect(claims.fingerprints).toHaveLength(2);
    expect(JSON.stringify(claims)).not.toContain(owner.id);
    const other = new SigningKeys(pool);
    expect(await other.published()).toEqual(await keys.published());
    expect((await keys.published()).keys.every((key) => !('d' in key))).toBe(true);
    const [header, payload, signature] = state.certificate.split('.');
    const forged = Buffer.from(JSON.stringify({ ...claims, kept: [] })).toString('base64url');
    await expect(verifyCertificate([header, forged, signature].join('.'), await keys.published())).rejects.toThrow();
    await expect(verifyCertificate([header, payload, signature].join('.'), { keys: [] })).rejects.toThrow();
  });

  it('stops behind the fence when the plan is no longer the one approved, destroys nothing, and opens again', async () => {
    const owner = await person();
    const erasureId = await planned(owner);
    await invoice(owner);
    await execute(owner, erasureId);
    expect(await stateOf(owner)).toMatchObject({ status: 'planned', plan: { erasureId } });
    expect((await liveOf(owner)).sort()).toEqual(['billing', 'contact', 'request']);
    await invoice(owner);
  });

  it('shreds a key that was made and never used, and refuses when the holdings lack one that stands in the log', async () => {
    const owner = await person();
    const stream = `purchase-${newId()}`;
    const request = { owner, category: 'billing', partition: stream.slice(9), stream };
    await ledger.vault.withSealing([request], async () => undefined);
    expect((await planner().compute(owner, newId<ErasureId>(), 'ab')).summary).toContainEqual({
      ...{ category: 'billing', action: 'shred', count: 1 },
    });
    await running.caughtUp();
    await pool.query('delete from holdings.holding where owner_id = $1', [owner.id]);
    await expect(planner().compute(owner, newId<ErasureId>(), 'ab')).rejects.toThrow('the holdings lack a scope');
  });

  it('notes what is being repeated, and goes on when the vault is back', async () => {
    const owner = await person();
    const erasureId = await planned(owner);
    const failing = Object.assign(new ShredderDouble(ledger.vault), {
      receiptOf: () => Promise.reject(new Error('a fault')),
    });
    const broken = new ErasureExecution(ledger, planner(), failing, statements(), guard);
    for (const _ of [1, 2])
      await expect(inContext(system, () => broken.run(owner, erasureId))).rejects.toThrow('a fault');
    expect(await stateOf(owner)).toMatchObject({ status: 'fenced', delayed: ['fenced:internal'] });
    await execute(owner, erasureId);
    expect((await stateOf(owner)).status).toBe('erased');
  });

  it('does not certify what it cannot verify', async () => {
    const owner = await person();
    const erasureId = await planned(owner);
    const leaving = Object.assign(new ShredderDouble(ledger.vault), {
      shred: async ({ orderId }: { orderId: string }) => ({
        orderId,
        destroyed: [],
        liveErasedAt: '2026-06-01T12:00:00Z',
      }),
      closeForEver: async () => undefined,
    });
    const broken = new ErasureExecution(ledger, planner(), leaving, statements(), guard);
    await expect(inContext(system, () => broken.run(owner, erasureId))).rejects.toMatchObject({
      code: 'erasure-not-verified',
    });
    expect((await stateOf(owner)).status).toBe('executed');
  });

  it('opens events by the way of readers, and does not certify what the vault does not list any more but still opens', async () => {
    const owner = await person();
    const erasureId = await planned(owner);
    const real = new ShredderDouble(ledger.vault);
    let spared = false;
    const sparing = Object.assign(new ShredderDouble(ledger.vault), {
      fence: (order: Parameters<typeof shredder.fence>[0]) => real.fence(order),
      shred: async (order: Parameters<typeof shredder.shred>[0]) => {
        const scopes = await real.scopesOf(owner);
        const card = scopes.find(({ category }) => category === 'contact')!.scopeId;
        spared = true;
        return real.shred({ ...order, scopeIds: order.scopeIds.filter((scopeId) => scopeId !== card) });
      },
      scopesOf: async () => (spared ? [] : real.scopesOf(owner)),
      closeForEver: async () => undefined,
    });
    const broken = new ErasureExecution(ledger, plannerOver(sparing), sparing, statements(), guard);
    await expect(inContext(system, () => broken.run(owner, erasureId))).rejects.toMatchObject({
      code: 'erasure-not-verified',
    });
    expect((await stateOf(owner)).status).toBe('executed');
  });

  it('destroys nothing by a list of the vault that lacks a key which the log has and which lives, in whatever stream', async () => {
    const owner = await person();
    await invoice(owner);
    await invoice(owner);
    const forgetful = Object.assign(new ShredderDouble(ledger.vault), {
      scopesOf: async (of: OwnerRef) => {
        const scopes = await shredder.scopesOf(of);
        const left = scopes.find(({ category }) => category === 'billing');
        return scopes.filter((scope) => scope !== left);
      },
    });
    await expect(plannerOver(forgetful).compute(owner, newId<ErasureId>(), 'ab')).rejects.toThrow('does not list');
  });

  it('takes a key for listed that came into being between the list and the holdings, or that is destroyed', async () => {
    const owner = await person();
    let asked = 0;
    const early = Object.assign(new ShredderDouble(ledger.vault), {
      scopesOf: async (of: OwnerRef) => {
        const scopes = await shredder.scopesOf(of);
        if (asked++ === 0) await invoice(owner);
        return scopes;
      },
    });
    await plannerOver(early).compute(owner, newId<ErasureId>(), 'ab');
    expect(asked).toBe(2);
    await running.caughtUp();
    ledger.shred(owner, 'billing');
    const nameless = Object.assign(new ShredderDouble(ledger.vault), {
      scopesOf: async (of: OwnerRef) => (await shredder.scopesOf(of)).filter(({ state }) => state === 'live'),
    });
    await plannerOver(nameless).compute(owner, newId<ErasureId>(), 'ab');
  });

  describe.each(['before', 'after'] as const)('killed %s any call to another system', (when) => {
    it('is finished by the next run, with every event once', async () => {
      const reference = await person();
      await invoice(reference);
      await execute(reference, await planned(reference));
      const expected = [await typesOf(reference), await liveOf(reference)];
      let kills = 0;
      for (let nth = 0; ; nth++) {
        const owner = await person();
        await invoice(owner);
        const erasureId = await planned(owner);
        const process = killedAt(nth, when);
        await execute(owner, erasureId, process).catch((error: Error) => expect(error.message).toBe('killed'));
        if (!process.wasKilled()) break;
        kills++;
        await execute(owner, erasureId);
        expect([await typesOf(owner), await liveOf(owner)]).toEqual(expected);
        expect((await stateOf(owner)).status).toBe('erased');
      }
      expect(kills).toBeGreaterThan(12);
    });

    it('is stopped by the next run when the plan has changed, and the person is open again', async () => {
      for (let nth = 0; ; nth++) {
        const owner = await person();
        const erasureId = await planned(owner);
        await invoice(owner);
        const process = killedAt(nth, when);
        await execute(owner, erasureId, process).catch((error: Error) => expect(error.message).toBe('killed'));
        if (!process.wasKilled()) break;
        await execute(owner, erasureId);
        expect((await stateOf(owner)).status).toBe('planned');
        expect(await liveOf(owner)).toHaveLength(3);
        await invoice(owner);
      }
    });
  });

  it('lets two workers do it at once', async () => {
    const owner = await person();
    await invoice(owner);
    const erasureId = await planned(owner);
    await Promise.all([execute(owner, erasureId), execute(owner, erasureId)]);
    const types = await typesOf(owner);
    expect(new Set(types).size).toBe(types.length);
    expect((await stateOf(owner)).status).toBe('erased');
  });

  it.each([
    ['gave up', false],
    ['is at the next plan', true],
  ])('is not done by a worker that slept while another found the plan changed and %s', async (_, again) => {
    const owner = await person();
    const erasureId = await planned(owner);
    const sleeping = Object.assign(new ShredderDouble(ledger.vault), {
      fence: (order: Parameters<typeof shredder.fence>[0]) => shredder.fence(order),
      shred: async (order: Parameters<typeof shredder.shred>[0]) => {
        await shredder.release(owner, order.orderId);
        await invoice(owner);
        await execute(owner, erasureId);
        if (again) await shredder.fence({ orderId: newId(), owner, kind: 'erasure', except: [] });
        return shredder.shred(order);
      },
    });
    const late = new ErasureExecution(ledger, planner(), sleeping, statements(), guard);
    await expect(inContext(system, () => late.run(owner, erasureId))).rejects.toMatchObject({ code: 'not-fenced' });
    expect(await stateOf(owner)).toMatchObject({ status: 'planned', plan: { items: { state: 'value' } } });
    expect((await liveOf(owner)).sort()).toEqual(['billing', 'contact', 'request']);
  });

  it('waits behind the fence while the clock is not confirmed', async () => {
    const owner = await person();
    const erasureId = await planned(owner);
    const doubting = new ClockGuard(new LedgerDouble(clock), clock);
    doubting.assertConfirmed = () => Promise.reject(new MakulerError('clock-implausible'));
    const late = new ErasureExecution(ledger, planner(), shredder, statements(), doubting);
    await expect(inContext(system, () => late.run(owner, erasureId))).rejects.toMatchObject({
      code: 'clock-implausible',
    });
    expect((await liveOf(owner)).sort()).toEqual(['contact', 'request']);
    await execute(owner, erasureId);
    expect((await stateOf(owner)).status).toBe('erased');
  });

  it('knows a deferred case by its steps, not by its texts', async () => {
    const owner = await person();
    const caseId = await openCase(owner);
    await append(`service-${caseId}`, ServiceCaseAdvanced.of({ status: 'closed', day: '2026-05-01' }));
    await execute(owner, await planned(owner));
    expect(await liveOf(owner)).toEqual([]);
  });
});
