import type { Draft } from '#events';
import type { ActorId } from '#kernel';
import { inContext, newId, systemContext } from '#kernel';
import { LedgerDouble } from '#testing';
import type { DueNow, Sweeps } from './sweeps.js';
import { approveSweep, beginSweep, finishSweep, mayRun, reconsiderSweep, sweeps, SWEEPS_STREAM } from './sweeps.js';

const [planner, approver] = [newId<ActorId>(), newId<ActorId>()];
// The double writes policy version `test` into every event.
const few: DueNow = { due: { contact: 2 }, unapproved: 2, policyVersion: 'test', large: false };
const many: DueNow = { due: { contact: 200 }, unapproved: 200, policyVersion: 'test', large: true };
const agreed: DueNow = { due: { billing: 7 }, unapproved: 0, policyVersion: 'test', large: false };

describe('sweeps', () => {
  let ledger: LedgerDouble;
  const say = async (decision: (state: Sweeps) => readonly Draft<any>[], actor = planner) =>
    (await inContext(systemContext(actor), () => ledger.decide(sweeps, SWEEPS_STREAM, decision))).state;
  const begin = (now: DueNow, sweepId: string = newId()) =>
    say((state) => beginSweep(state, sweepId, now)).then((state) => ({ state, sweepId }));
  const goThrough = async (now: DueNow) => {
    const { sweepId } = await begin(now);
    await say((state) => finishSweep(state, sweepId, 0));
  };
  beforeEach(() => {
    ledger = new LedgerDouble();
  });

  it('go on by themselves when they are ordinary', async () => {
    const { state, sweepId } = await begin(few);
    expect(state.all.get(sweepId)).toMatchObject({ state: 'requested', due: { contact: 2 } });
    expect(mayRun(state, sweepId)).toBe(true);
  });

  it('stay whose they are when they become a plan as they are about to run', async () => {
    const { sweepId } = await begin(few);
    const system = newId<ActorId>();
    await say((state) => reconsiderSweep(state, sweepId, many), system);
    await expect(say((now) => approveSweep(now, sweepId, planner))).rejects.toMatchObject({ code: 'four-eyes' });
    expect(mayRun(await say((now) => approveSweep(now, sweepId, approver), approver), sweepId)).toBe(true);
  });

  it('wait for the approval of another when they are unusually large', async () => {
    const { state, sweepId } = await begin(many);
    expect(state.all.get(sweepId)).toMatchObject({ state: 'planned', reason: 'large' });
    expect(mayRun(state, sweepId)).toBe(false);
    await expect(say((now) => approveSweep(now, sweepId, planner))).rejects.toMatchObject({ code: 'four-eyes' });
    await expect(say((now) => approveSweep(now, newId(), approver))).rejects.toMatchObject({ code: 'not-found' });
    expect(mayRun(await say((now) => approveSweep(now, sweepId, approver), approver), sweepId)).toBe(true);
  });

  it('wait when the policy is another than at the last sweep, however few are due', async () => {
    await goThrough(few);
    const { state, sweepId } = await begin({ ...few, policyVersion: 'another' });
    expect(state.all.get(sweepId)).toMatchObject({ state: 'planned', reason: 'policy-changed' });
  });

  it('go on under another policy when nothing is due that an erasure’s plan has not approved, and under the first policy of all', async () => {
    await goThrough(few);
    const { state, sweepId } = await begin({ ...agreed, policyVersion: 'another' });
    expect(mayRun(state, sweepId)).toBe(true);
  });

  it('are not planned twice while a plan waits that covers what is due', async () => {
    const first = await begin(many);
    const second = await begin({ ...many, due: { contact: 150 } });
    expect([...second.state.all.keys()]).toEqual([first.sweepId]);
    const more = await begin({ ...many, due: { contact: 300 } });
    expect(more.state.all.size).toBe(2);
  });

  it('are looked at again before they destroy: grown large in between, they wait after all', async () => {
    const { sweepId } = await begin(few);
    expect((await say((state) => reconsiderSweep(state, sweepId, few))).all.get(sweepId)?.state).toBe('requested');
    expect((await say((state) => reconsiderSweep(state, sweepId, many))).all.get(sweepId)?.state).toBe('planned');
  });

  it.each([
    ['more is due than was approved', { ...many, due: { contact: 201 } }],
    ['the policy has changed', { ...many, policyVersion: 'another' }],
  ])('lose an approval when %s', async (_why, now) => {
    const { sweepId } = await begin(many);
    await say((state) => approveSweep(state, sweepId, approver), approver);
    expect((await say((state) => reconsiderSweep(state, sweepId, many))).all.get(sweepId)?.state).toBe('approved');
    expect((await say((state) => reconsiderSweep(state, sweepId, now))).all.get(sweepId)?.state).toBe('planned');
  });
});
