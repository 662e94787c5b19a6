import type { ScopeId } from '#kernel';
import { newId, SystemClock, subjectOwner } from '#kernel';
import type { Notice } from './holders.js';
import { Holders } from './holders.js';

const LEASE_MS = 200;
const scopes = [newId<ScopeId>()];

/** P1: `liveErasedAt` is when everybody has confirmed or can't answer any more, and not before. */
describe('the holders of leases', () => {
  const start = (inheritedMs = 0) => {
    const holders = new Holders(new SystemClock(), LEASE_MS, inheritedMs, () => true);
    const notices: Notice[] = [];
    const session = holders.connect(
      'process',
      (notice) => notices.push(notice),
      () => undefined,
    );
    return { holders, notices, session };
  };
  const settled = async (work: Promise<unknown>) =>
    Promise.race([work.then(() => true), new Promise<false>((resolve) => setTimeout(() => resolve(false), 20))]);

  it('are waited for until they confirm a shred', async () => {
    const { holders, notices, session } = start();
    session.renew(1);
    const dropped = holders.dropEverywhere(scopes);
    expect(notices.at(-1)).toEqual({ shredded: { counter: 1, scopeIds: scopes } });
    expect(await settled(dropped)).toBe(false);
    session.dropped(1);
    await dropped;
    expect(holders.isLive('process')).toBe(true);
  });

  it.each(['silent', 'disconnected'])('are waited for until their lease has run out when they are %s', async (how) => {
    const { holders, session } = start();
    session.renew(1);
    if (how === 'disconnected') session.disconnect();
    const dropped = holders.dropEverywhere(scopes);
    expect(await settled(dropped)).toBe(false);
    await dropped;
    expect(holders.isLive('process')).toBe(false);
  });

  it('are not waited for once they have given their lease back, and get none afterwards', async () => {
    const { holders, session } = start();
    session.renew(1);
    const dropped = holders.dropEverywhere(scopes);
    expect(await settled(dropped)).toBe(false);
    session.release();
    expect(await settled(dropped)).toBe(true);
    expect(await settled(holders.quiesce(subjectOwner(newId())))).toBe(true);
    session.renew(2);
    expect(holders.isLive('process')).toBe(false);
  });

  it('get no more time while they have not confirmed a shred', async () => {
    const { holders, notices, session } = start();
    session.renew(1);
    const dropped = holders.dropEverywhere(scopes);
    session.renew(2);
    expect(notices).not.toContainEqual({ renewed: { renewal: 2 } });
    await dropped;
  });

  it('that an earlier life of the vault may have left are waited for too', async () => {
    const { holders } = start(LEASE_MS);
    const dropped = holders.dropEverywhere([]);
    const quiet = holders.quiesce(subjectOwner(newId()));
    expect(await settled(Promise.race([dropped, quiet]))).toBe(false);
    await Promise.all([dropped, quiet]);
  });

  it('are waited for as long as the vault before may have leased, though that is longer than a lease of this one', async () => {
    const { holders } = start(2 * LEASE_MS);
    const clock = new SystemClock();
    const begunAtMs = clock.monotonicMs();
    await holders.quiesce(subjectOwner(newId()));
    expect(clock.monotonicMs() - begunAtMs).toBeGreaterThan(1.9 * LEASE_MS);
  });

  it('learn on return what was shredded since, or that it is not known', async () => {
    const { holders } = start();
    await holders.dropEverywhere(scopes);
    expect(holders.since(0)).toEqual(scopes);
    expect(holders.since(1)).toEqual([]);
    expect(holders.since(2)).toBeUndefined();
  });
});
