import type { ActorId } from '#kernel';
import { newId } from '#kernel';
import { LedgerDouble, SetClock } from '#testing';
import { REFUSAL_WINDOW_MS, RoleRefusals } from './role-refusals.js';

const refusal = {
  ...{ tokenId: newId(), actor: newId<ActorId>(), roles: ['analyst'] as const },
  ...{ method: 'GET', route: '/v1/customers/:id' },
};

describe('attempts beyond a role', () => {
  let clock: SetClock;
  let ledger: LedgerDouble;
  let refusals: RoleRefusals;
  beforeEach(() => {
    clock = new SetClock(new Date('2026-11-23T12:00:00Z'));
    ledger = new LedgerDouble(clock);
    refusals = new RoleRefusals(ledger, clock);
  });
  const recorded = async () => {
    const events = await ledger.store.forwards({ maxCount: 100 });
    const read = await Promise.all(events.map(({ stream }) => ledger.read(stream)));
    return read
      .flat()
      .map(({ data, metadata }) => ({ ...(data as unknown as { attempts: number }), actor: metadata.actor }));
  };
  const { actor, method, route } = refusal;

  it('are written down at once, with who and where', async () => {
    await refusals.record(refusal);
    expect(await recorded()).toEqual([{ actor, method, route, attempts: 1 }]);
  });
  it('are one event and one number within a minute, however many they are', async () => {
    await Promise.all(Array.from({ length: 500 }, () => refusals.record(refusal)));
    await refusals.flush();
    expect(await recorded()).toHaveLength(1);
    clock.pass(REFUSAL_WINDOW_MS);
    await refusals.flush();
    expect((await recorded()).map(({ attempts }) => attempts)).toEqual([1, 499]);
  });
  it('of another token or at another route are events of their own', async () => {
    await refusals.record(refusal);
    await refusals.record({ ...refusal, tokenId: newId() });
    await refusals.record({ ...refusal, method: 'PATCH' });
    expect(await recorded()).toHaveLength(3);
  });
  it('are written anew after a quiet minute', async () => {
    await refusals.record(refusal);
    clock.pass(REFUSAL_WINDOW_MS);
    await refusals.flush();
    await refusals.record(refusal);
    expect(await recorded()).toHaveLength(2);
  });
  it('are kept while the log is away, and written when it is back', async () => {
    const { append } = ledger.store;
    ledger.store.append = () => Promise.reject(new Error('away'));
    await refusals.record(refusal);
    await refusals.record(refusal);
    ledger.store.append = append;
    await refusals.flush({ all: true });
    expect((await recorded()).map(({ attempts }) => attempts)).toEqual([2]);
  });
});
