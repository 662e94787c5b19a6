import type { ActorId } from '#kernel';
import { newId } from '#kernel';
import { LedgerDouble, SetClock } from '#testing';
import { AccessRefused } from './access.events.js';
import type { Refusal } from './refusals.js';
import { REFUSAL_WINDOW_MS, Refusals } from './refusals.js';

const by = { tokenId: newId(), actorId: newId<ActorId>(), roles: ['analyst'] as const };
const role = { beyond: 'role', method: 'GET', route: '/v1/customers/:id' } as const;
const purpose = {
  beyond: 'purpose',
  route: '/v1/customers/:id',
  statedPurpose: 'tilbud',
  categories: ['contact'],
  mode: 'read',
} as const;

describe.each<{ what: string; refusal: Refusal; others: Refusal[] }>([
  {
    ...{ what: 'a role', refusal: role },
    others: [purpose, { ...role, method: 'PATCH' }, { ...role, route: '/v1/purchases/:id' }],
  },
  {
    ...{ what: 'a purpose', refusal: purpose },
    others: [role, { ...purpose, statedPurpose: null }, { ...purpose, mode: 'write' }],
  },
])('attempts beyond $what', ({ refusal, others }) => {
  let clock: SetClock;
  let ledger: LedgerDouble;
  let refusals: Refusals;
  beforeEach(() => {
    clock = new SetClock(new Date('2026-11-23T12:00:00Z'));
    ledger = new LedgerDouble(clock);
    refusals = new Refusals(ledger, clock);
  });
  const recorded = async () => {
    const events = await ledger.store.forwards({ maxCount: 100 });
    const read = await Promise.all(events.map(({ stream }) => ledger.read(stream)));
    return read
      .flat()
      .map(({ data, metadata }) => ({ ...(data as unknown as { attempts: number }), actor: metadata.actor }));
  };

  it('are written down at once, with who and where', async () => {
    await refusals.record(by, refusal);
    const { beyond: _, ...told } = refusal;
    expect(await recorded()).toEqual([{ ...told, actor: by.actorId, attempts: 1 }]);
  });
  it('are one event and one number within a minute, however many they are', async () => {
    await Promise.all(Array.from({ length: 500 }, () => refusals.record(by, refusal)));
    await refusals.flush();
    expect(await recorded()).toHaveLength(1);
    clock.pass(REFUSAL_WINDOW_MS);
    await refusals.flush();
    expect((await recorded()).map(({ attempts }) => attempts)).toEqual([1, 499]);
  });
  it('of another token or at something else are events of their own', async () => {
    await refusals.record(by, refusal);
    await refusals.record({ ...by, tokenId: newId() }, refusal);
    for (const other of others) await refusals.record(by, other);
    expect(await recorded()).toHaveLength(2 + others.length);
  });
  it('are written anew after a quiet minute', async () => {
    await refusals.record(by, refusal);
    clock.pass(REFUSAL_WINDOW_MS);
    await refusals.flush();
    await refusals.record(by, refusal);
    expect(await recorded()).toHaveLength(2);
  });
  it('are kept while the log is away, and written when it is back', async () => {
    const { append } = ledger.store;
    ledger.store.append = () => Promise.reject(new Error('away'));
    await expect(refusals.record(by, refusal)).rejects.toThrow('away');
    await refusals.record(by, refusal);
    ledger.store.append = append;
    await refusals.flush({ all: true });
    expect((await recorded()).map(({ attempts }) => attempts)).toEqual([2]);
  });
});

it('attempts of a log from before they were counted are one each', () => {
  const { beyond: _, ...told } = purpose;
  expect(AccessRefused.upcasts[1]!(told)).toEqual({ ...told, attempts: 1 });
});
