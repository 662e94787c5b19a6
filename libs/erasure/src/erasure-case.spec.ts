import type { Draft } from '#events';
import { event, plain, subject } from '#events';
import type { ActorId, CustomerId, ErasureId, MakulerError } from '#kernel';
import { inContext, newId, subjectOwner, systemContext } from '#kernel';
import { LedgerDouble } from '#testing';
import type { ErasureCase } from './erasure-case.js';
import { erasureCase, erasureStream } from './erasure-case.js';
import type { NewPlan } from './erasure-decisions.js';
import {
  approveErasure,
  fenceOwner,
  giveUpErasure,
  noteDelay,
  planErasure,
  recordCertificate,
  recordExecution,
  recordVerification,
  replan,
  requestExecution,
  stopErasure,
} from './erasure-decisions.js';

const Registered = event('customer.registered', 1, {
  customerId: subject<CustomerId>(),
  relationship: plain<string>('one of three words'),
});
const [planner, approver, job] = [newId<ActorId>(), newId<ActorId>(), newId<ActorId>()];

describe('an erasure case', () => {
  const owner = subjectOwner(newId<CustomerId>());
  const erasureId = newId<ErasureId>();
  const plan: NewPlan = {
    erasureId,
    owner,
    ground: 'subject-request',
    planHash: 'a'.repeat(64),
    summary: [
      { category: 'billing', action: 'retain', count: 1, until: '2031-12-31' },
      { category: 'contact', action: 'shred', count: 1 },
    ],
    items: [{ category: 'contact', partition: '', action: 'shred', why: 'nothing keeps it' }],
    salt: 'ab'.repeat(32),
    note: null,
  };
  const other = { ...plan, planHash: 'b'.repeat(64) };
  const receipt = {
    orderId: newId(),
    liveErasedAt: '2026-11-23T00:00:00.000Z',
    destroyed: [{ category: 'contact', fingerprint: 'f'.repeat(64) }],
  };
  const issued = { certificate: 'e30.e30.c2ln', backupsClearedBy: '2026-12-23T00:00:00.000Z', epoch: 1 };
  let ledger: LedgerDouble;

  /** Decides as `actor` and gives the state after it. */
  const say = (actor: ActorId, decision: (state: ErasureCase) => readonly Draft<any>[]) =>
    inContext(systemContext(actor), () => ledger.decide(erasureCase, erasureStream(owner), decision));
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error: { code?: string }) => error.code,
    );

  beforeEach(async () => {
    ledger = new LedgerDouble();
    await say(planner, () => [Registered.of({ customerId: owner.id as CustomerId, relationship: 'customer' })]);
  });

  it('cannot begin for somebody who is not known', async () => {
    ledger = new LedgerDouble();
    expect(await codeOf(say(planner, (state) => planErasure(state, plan)))).toBe('not-found');
  });

  it('goes from plan to certificate, each step once however often it is said', async () => {
    const steps: [ActorId, (state: ErasureCase) => readonly Draft<any>[], string][] = [
      [planner, (state) => planErasure(state, plan), 'planned'],
      [
        approver,
        (state) => approveErasure(state, erasureId, { planHash: plan.planHash, actor: approver, fourEyes: true }),
        'approved',
      ],
      [planner, (state) => requestExecution(state, erasureId, true), 'requested'],
      [job, (state) => fenceOwner(state, receipt.orderId), 'fenced'],
      [job, (state) => recordExecution(state, receipt), 'executed'],
      [job, (state) => recordVerification(state), 'verified'],
      [job, (state) => recordCertificate(state, issued), 'erased'],
    ];
    for (const [actor, decision, status] of steps) {
      expect((await say(actor, decision)).state.status).toBe(status);
      const again = await say(actor, decision);
      expect([again.written, again.state.status]).toEqual([0, status]);
    }
    const types = (await ledger.read(erasureStream(owner))).map(({ type }) => type);
    expect(types).toEqual([
      'customer.registered',
      'erasure.planned',
      'erasure.approved',
      'erasure.execution-requested',
      'erasure.fenced',
      'subject.erased',
      'erasure.executed',
      'erasure.verified',
      'erasure.certified',
    ]);
    expect(await codeOf(say(planner, (state) => planErasure(state, { ...plan, erasureId: newId() })))).toBe(
      'subject-closed',
    );
  });

  describe('with a plan on the table', () => {
    beforeEach(() => say(planner, (state) => planErasure(state, plan)));
    const approve = (actor: ActorId, planHash = plan.planHash, fourEyes = true) =>
      say(actor, (state) => approveErasure(state, erasureId, { planHash, actor, fourEyes }));

    it('is not approved by whoever planned, where the policy asks for four eyes', async () => {
      expect(await codeOf(approve(planner))).toBe('four-eyes');
      expect((await approve(planner, plan.planHash, false)).state.status).toBe('approved');
    });

    it('is not approved under another hash, and the refusal says which plan holds, without its items', async () => {
      const refusal = await approve(approver, other.planHash).catch((error: unknown) => error);
      const { erasureId, planHash, summary } = plan;
      const facts = { erasureId, planHash, summary, plan: `/v1/erasures/${erasureId}/plan` };
      expect(refusal).toMatchObject({ code: 'plan-changed' });
      expect((refusal as MakulerError).facts).toEqual(facts);
    });

    it('is not executed before the approval, where the policy asks for one', async () => {
      expect(await codeOf(say(planner, (state) => requestExecution(state, erasureId, true)))).toBe('plan-not-approved');
      expect((await say(planner, (state) => requestExecution(state, erasureId, false))).state.status).toBe('requested');
    });

    it('loses its approval when it is planned anew, and stays the first planner’s', async () => {
      await approve(approver);
      expect((await say(approver, (now) => replan(now, newId(), other))).written).toBe(0);
      const { state } = await say(approver, (now) => replan(now, erasureId, other));
      expect(state).toMatchObject({ status: 'planned', plan: { planHash: other.planHash, plannedBy: planner } });
      expect(await codeOf(approve(planner, other.planHash))).toBe('four-eyes');
    });

    it('is one of one: another is refused until it is given up', async () => {
      const second = { ...plan, erasureId: newId<ErasureId>() };
      expect(await codeOf(say(approver, (state) => planErasure(state, second)))).toBe('erasure-in-progress');
      await say(planner, (state) => giveUpErasure(state, erasureId));
      expect((await say(approver, (state) => planErasure(state, second))).state.status).toBe('planned');
      // What is said of the one that was given up does not meet the one that came after it.
      expect(await codeOf(say(planner, (state) => requestExecution(state, erasureId, false)))).toBe('not-found');
      expect(await codeOf(say(planner, (state) => giveUpErasure(state, erasureId)))).toBe('not-found');
      expect(await codeOf(approve(planner, plan.planHash, false))).toBe('not-found');
    });

    it('stopped behind the fence it is a plan again, which needs approval and request of its own', async () => {
      await approve(approver);
      await say(planner, (state) => requestExecution(state, erasureId, true));
      expect(await codeOf(say(planner, (state) => giveUpErasure(state, erasureId)))).toBe('erasure-in-progress');
      await say(job, (state) => fenceOwner(state, receipt.orderId));
      const { state } = await say(job, (now) => stopErasure(now, receipt.orderId, other));
      expect(state).toMatchObject({ status: 'planned', plan: { planHash: other.planHash, plannedBy: planner } });
      expect(await codeOf(say(planner, (now) => requestExecution(now, erasureId, true)))).toBe('plan-not-approved');
    });

    it('notes each failure of a step once', async () => {
      await say(planner, (state) => requestExecution(state, erasureId, false));
      const note = () => say(job, (state) => noteDelay(state, 'fence', 'vault-unavailable'));
      expect([(await note()).written, (await note()).written]).toEqual([1, 0]);
      expect((await say(job, (state) => fenceOwner(state, receipt.orderId))).state).toMatchObject({ delayed: [] });
    });

    it('names in subject.erased what was destroyed and what is kept, by category and count', async () => {
      await say(planner, (state) => requestExecution(state, erasureId, false));
      await say(job, (state) => fenceOwner(state, receipt.orderId));
      await say(job, (state) => recordExecution(state, receipt));
      const erased = (await ledger.read(erasureStream(owner))).find(({ type }) => type === 'subject.erased');
      expect(erased?.data).toEqual({
        ownerId: owner.id,
        ownerKind: 'subject',
        categories: { contact: 1 },
        retained: ['billing'],
      });
    });
  });
});
