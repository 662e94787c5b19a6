import { randomBytes } from 'node:crypto';
import { CustomerRegistered } from '#customers';
import { EventRegistry, event, personal, SubjectErased } from '#events';
import type { ErasureBoard } from '#erasure';
import * as erasure from '#erasure';
import { erasureBoard, erasureCase, erasureStream, GetErasurePlan, PlanErasure, verifyCertificate } from '#erasure';
import type { ActorId, CustomerId, ErasureId, SubjectId } from '#kernel';
import { inContext, newId, ReservedIds, subjectOwner, SystemClock, systemContext, valueOf } from '#kernel';
import { EventStoreLedger } from '#ledger';
import { loadPolicy } from '#policy';
import type { Pool } from '#postgres';
import { createDatabase, createPool } from '#postgres';
import type { ClockGuard } from '#retention';
import { CurrentHoldings, Holdings, holdings } from '#retention';
import { SigningKeys } from '#signing';
import type { DyingProcess } from '#testing';
import { killedAt, RunningProjections, testDatabase } from '#testing';
import { requestExecution } from '../../libs/erasure/src/erasure-decisions.js';
import { ErasureExecution } from '../../libs/erasure/src/erasure-execution.js';
import { GetErasurePlanHandler } from '../../libs/erasure/src/erasure-plan.query.js';
import { PlanErasureHandler } from '../../libs/erasure/src/plan-erasure.js';
import { ErasurePlanner } from '../../libs/erasure/src/planner.js';
import { Statements } from '../../libs/erasure/src/statements.js';
import type { LogServer } from './log-server.js';
import { startLogServer } from './log-server.js';
import type { VaultHouse } from './vault-house.js';
import { startVaultHouse } from './vault-house.js';

/** So many that neither the plan, nor the list of destroyed keys, nor the certificate goes into one append. */
const KEYS = 12_000;
const APPEND = 1_000;

/** Something of a person under a key of its own: as a purchase is, but in bulk. */
const ThingKept = event('test.thing-kept', 1, {
  thing: personal<string>('contact', { owner: 'holder' }),
});

describe(`a person with ${KEYS} keys, over a real log and a real vault`, () => {
  const clock = new SystemClock();
  const owner = subjectOwner(newId<SubjectId>());
  const stream = erasureStream(owner);
  let log: LogServer;
  let house: VaultHouse;
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let pool: Pool;
  let ledger: EventStoreLedger;
  let running: RunningProjections;
  let policy: Awaited<ReturnType<typeof loadPolicy>>;
  let erasureId: ErasureId;

  beforeAll(async () => {
    [log, house, database, policy] = await Promise.all([
      startLogServer(),
      startVaultHouse({ leaseMs: 5_000 }),
      testDatabase(),
      loadPolicy('policy/jpi'),
    ]);
    pool = createPool(database.url, { name: 'test' });
    const own = Object.values(erasure).filter(
      (one: any) => typeof one?.type === 'string' && 'fields' in one,
    ) as never[];
    const registry = new EventRegistry([CustomerRegistered, SubjectErased, ThingKept, ...own]);
    ledger = new EventStoreLedger({ store: log.store, vault: house.worker, registry, clock, policyVersion: () => '1' });
    running = await RunningProjections.start(pool, ledger, [holdings, erasureBoard]);
    const card = { name: 'Kari', phone: null, email: null, companyId: null, address: null, sourceKey: null };
    await say(() =>
      ledger.append({
        stream,
        expected: 'any',
        drafts: [
          CustomerRegistered.of(
            { customerId: owner.id as CustomerId, relationship: 'lead', sector: 'private', region: null, ...card },
            { partitions: { contact: newId() } },
          ),
        ],
      }),
    );
    const things = () =>
      Array.from({ length: APPEND }, () =>
        ThingKept.of({ thing: 'a lathe' }, { owners: { holder: owner }, partitions: { contact: newId() } }),
      );
    for (let n = 0; n < KEYS; n += APPEND)
      await say(() => ledger.append({ stream: `thing-${newId()}`, expected: 'any', drafts: things() }));
    await caughtUp();
  }, 120_000);
  afterAll(async () => {
    await running.stop();
    await pool.end();
    await database.drop();
    await house.end();
    await log.end();
  });

  const say = <T>(work: () => Promise<T>, seed?: Uint8Array): Promise<T> => {
    const context = systemContext(newId<ActorId>(), 'rettigheter');
    return inContext(seed ? { ...context, ids: new ReservedIds(seed, 0) } : context, work);
  };
  const caughtUp = async () => {
    const head = await ledger.head();
    for (const follower of [holdings, erasureBoard]) await running.states.waitFor(follower, head, 60_000);
  };
  const typesOf = async () => (await ledger.read(stream)).map(({ type }) => type);
  const planner = () => {
    const current = new CurrentHoldings(ledger, running.states, new Holdings(createDatabase(pool), policy));
    return new ErasurePlanner(ledger, current, house.shredder, policy, clock);
  };
  /** The same command each time: it draws the same ids. */
  const seed = randomBytes(32);
  const plan = (through: EventStoreLedger) =>
    say(
      () => new PlanErasureHandler(through, planner(), policy).execute(new PlanErasure(owner, 'subject-request')),
      seed,
    );
  const planShown = async () => {
    const board = {} as ErasureBoard; // whoever names the owner does not ask it
    const view = await new GetErasurePlanHandler(ledger, board).execute(new GetErasurePlan(erasureId, owner));
    return view && valueOf(view.items);
  };
  const execute = (process?: DyingProcess) => {
    const through = process?.within(ledger as EventStoreLedger) ?? ledger;
    const guard = { assertConfirmed: () => Promise.resolve() } as ClockGuard;
    const statements = new Statements(new SigningKeys(pool), house.operations, clock);
    return say(() => new ErasureExecution(through, planner(), house.shredder, statements, guard).run(owner, erasureId));
  };
  const parts = async (type: string) => (await typesOf()).filter((one) => one === type).length;
  const state = async () => (await ledger.load(erasureCase, stream)).state;

  it('has no plan while not all of it is recorded, and gets it whole when it is asked for again', async () => {
    // Two calls look at the person; the third and the fourth record parts.
    await expect(plan(killedAt(3, 'after').within(ledger))).rejects.toThrow('killed');
    expect([await parts('erasure.items-listed'), (await state()).status]).toEqual([2, 'none']);
    const planning = await plan(ledger);
    erasureId = planning.erasureId;
    const recorded = await parts('erasure.items-listed');
    expect(recorded).toBeGreaterThan(2 + 2);
    expect(await plan(ledger)).toMatchObject({ erasureId, planHash: planning.planHash });
    expect(await parts('erasure.items-listed')).toBe(recorded);
    const items = (await planShown())!;
    // The card, and what seals the plan itself.
    expect(items).toHaveLength(KEYS + 2);
    expect(new Set(items.map(({ category, partition }) => category + partition)).size).toBe(KEYS + 2);
  }, 120_000);

  it('is erased, however often whoever does it is killed between two parts, and each key is told of once', async () => {
    await say(() => ledger.decide(erasureCase, stream, (now) => requestExecution(now, erasureId, false)));
    await killedAfterFirst('erasure.keys-listed');
    expect(await state()).toMatchObject({ status: 'fenced' });
    await killedAfterFirst('erasure.certificate-listed');
    expect(await state()).toMatchObject({ status: 'verified' });
    await execute();
    const erased = await state();
    if (erased.status !== 'erased') throw new Error(erased.status);
    expect(await planShown()).toBeUndefined();
    const claims = await verifyCertificate(erased.certificate, await new SigningKeys(pool).published());
    expect(claims.destroyed).toEqual({ contact: KEYS + 1, request: 1 });
    expect(new Set(claims.fingerprints).size).toBe(KEYS + 2);
    const types = await typesOf();
    for (const once of ['subject.erased', 'erasure.executed', 'erasure.verified', 'erasure.certified'])
      expect(types.filter((type) => type === once)).toEqual([once]);
    await caughtUp();
    const { rows } = await pool.query('select certificates, pieces from erasure_board.erasure_board');
    expect(rows).toMatchObject([{ certificates: [{ certificate: erased.certificate }], pieces: [] }]);
  }, 120_000);

  /** Executes through a ledger that dies once it has recorded a part of this kind. */
  const killedAfterFirst = async (type: string): Promise<void> => {
    let dead = false;
    const mortal = new Proxy(ledger, {
      get(target, name) {
        const member = Reflect.get(target, name, target) as unknown;
        if (typeof member !== 'function') return member;
        return async (...args: { drafts?: readonly { event: { type: string } }[] }[]) => {
          if (dead) throw new Error('killed');
          const result: unknown = await member.apply(target, args);
          dead = args[0]?.drafts?.[0]?.event.type === type;
          return result;
        };
      },
    });
    await expect(execute({ within: () => mortal as never, wasKilled: () => dead })).rejects.toThrow('killed');
  };
});
