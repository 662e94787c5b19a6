import { randomUUID } from 'node:crypto';
import type { OwnerRef } from '#kernel';
import { newId, subjectOwner } from '#kernel';
import type { SubjectId } from '#kernel';
import { KeeperHouse } from './keeper-house.js';
import type { Held } from './mortal.js';

const somebody = (): OwnerRef => subjectOwner(newId<SubjectId>());

const until = async (holds: () => Promise<boolean> | boolean): Promise<void> => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
};

/** Who holds the right to write. */
const HOLDER = 'select session_pid as pid from leases.lease';

/** Transactions of the vault that another one waits for. */
const BLOCKING = `select pid from pg_stat_activity where application_name like '%keeper%' and pid in
  (select unnest(pg_blocking_pids(pid)) from pg_stat_activity where datname = current_database())`;

/** P1, P2, P5: what happens to meet in the vault, at the worst moment. */
describe('operations of the vault that meet', () => {
  let house: KeeperHouse;
  beforeEach(async () => {
    house = await KeeperHouse.build();
  });
  afterEach(() => house.end());

  /** Rolls a transaction back that was stopped, once a seal waits for what it has locked. */
  const rollBackBeforeSeal = async (held: Held): Promise<void> => {
    let blocking: { pid: number }[] = [];
    await until(async () => (blocking = await house.sql(BLOCKING)).length > 0);
    await house.sql('select pg_terminate_backend($1, 5000)', [blocking[0]!.pid]);
    held.release();
  };

  it('a shred that is journaled and rolled back while a seal waits for its bucket is cleared with the later epoch (P2)', async () => {
    // More people than one bucket takes.
    const people = Array.from({ length: 33 }, somebody);
    const scopes = new Map<string, Awaited<ReturnType<KeeperHouse['mint']>>>();
    for (const one of people) scopes.set(one.id, await house.mint(one));
    const placed = await house.sql<{ owner_id: string; bucket_id: string }>(
      'select owner_id, bucket_id from owner_bucket order by bucket_id',
    );
    const [first, last] = [placed[0]!, placed.at(-1)!];
    expect(first.bucket_id).not.toBe(last.bucket_id);
    const [owner, orderId] = [people.find(({ id }) => id === last.owner_id)!, randomUUID()];
    await house.keeper.fence({ orderId, owner, kind: 'erasure', except: [] });

    // The seal has begun the next epoch, and waits in front of the first bucket; the shred has the last one.
    const letGo = await house.lock('select from bucket where bucket_id = $1 for update', [first.bucket_id]);
    const seal = house.keeper.sealEpoch(true);
    const sealed = seal.catch(() => undefined);
    await until(async () => (await house.sql<{ epoch: number }>('select epoch from vault'))[0]!.epoch === 2);
    const held = house.life.hold('insert into receipt', 'before');
    const shredded = house.keeper
      .shred({ orderId, owner, scopeIds: [scopes.get(owner.id)!.scopeId], kind: 'erasure' })
      .catch(() => undefined);
    await held.reached;
    await letGo();
    await rollBackBeforeSeal(held);
    await Promise.all([sealed, shredded]);
    await until(() => ['consistent', 'reconciled'].includes(house.keeper.gate.state));

    const [row] = await house.sql<{ epoch: number }>('select epoch from receipt where order_id = $1', [orderId]);
    // The seal has wrapped the key of the shredded scope's bucket under epoch 2: a copy from then opens under that root.
    expect(row).toEqual({ epoch: 2 });
    expect((await house.state()).shredded).toMatchObject([{ epoch: 2 }]);
  });

  it('somebody who is closed for ever in the journal, and not yet in the vault when a seal moves on, is cleared with the later epoch (P2)', async () => {
    const [owner, orderId] = [somebody(), randomUUID()];
    await house.shred(owner, [(await house.mint(owner)).scopeId], 'expiry');
    await house.keeper.fence({ orderId, owner, kind: 'erasure', except: [] });
    const held = house.life.hold('delete from owner_bucket', 'before');
    const closed = house.keeper.closeForEver(owner, orderId).catch(() => undefined);
    await held.reached;
    const sealed = house.keeper.sealEpoch(true).catch(() => undefined);
    await until(async () => (await house.sql<{ epoch: number }>('select epoch from vault'))[0]!.epoch === 2);
    await rollBackBeforeSeal(held);
    await Promise.all([sealed, closed]);
    await until(() => house.keeper.gate.state === 'reconciled');
    // Under the root of epoch 2 there are copies of what the tombstone still said.
    expect((await house.state()).closed).toMatchObject([{ id: owner.id, epoch: 2 }]);
  });

  it('a shred waits for leases of the life before last, though they were longer than those of today (P1)', async () => {
    const owner = somebody();
    const { scopeId } = await house.mint(owner);
    house.leaseMs = 2_500;
    await house.restart();
    house.keeper.holders
      .connect(
        'spec',
        () => undefined,
        () => undefined,
      )
      .renew(1);
    const leaseEndsMs = house.clock.monotonicMs() + house.leaseMs;
    house.leaseMs = 60;
    await house.restart();
    await house.restart();
    await house.shred(owner, [scopeId]);
    expect(house.clock.monotonicMs()).toBeGreaterThanOrEqual(leaseEndsMs - 50);
  });

  it('a vault whose clock is far from that of the worker that asks dates nothing and destroys nothing (P5)', async () => {
    await house.keeper.sealEpoch(true, house.clock.now());
    const refused = expect.objectContaining({ code: 'clock-implausible' });
    for (const days of [-3, 3, 5_000]) {
      const workersNow = house.clock.now();
      house.clock.aheadMs = days * 86_400_000;
      await expect(house.keeper.destroyRoots(workersNow)).rejects.toEqual(refused);
      await expect(house.keeper.sealEpoch(true, workersNow)).rejects.toEqual(refused);
      house.clock.aheadMs = 0;
    }
    expect(await house.roots()).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(await house.keeper.destroyRoots(house.clock.now())).toMatchObject({ destroyed: [1] });
  });

  it('the right to write that is lost while the gate opens is noticed, and taken anew (P5)', async () => {
    await house.mint(somebody());
    house.leaseMs = 1_000;
    await house.restart();
    const lose = () => house.sql(`select pg_terminate_backend(pid, 5000) from (${HOLDER}) as holder`);
    const held = house.life.hold('insert into mirror', 'before');
    await lose();
    await held.reached;
    await lose();
    held.release();
    await until(() => house.keeper.gate.state === 'consistent');
    const session = house.keeper.holders.connect(
      'spec',
      () => undefined,
      () => undefined,
    );
    // Under a right that was lost it never is.
    await until(() => (session.renew(1), house.keeper.holders.isLive('spec')));
  });

  it('a large vault counts its keys once, however often and by how many it is asked (P5)', async () => {
    await house.sql(
      `insert into scope (scope_id, state) select gen_random_uuid(), 'erased' from generate_series(1, 30000)`,
    );
    const held = house.life.hold('from scope group by state', 'before');
    const asked = [house.keeper.status(), house.keeper.status()];
    await held.reached;
    // It is not waited for: readiness has two seconds.
    const keys = async () => (await Promise.all([...asked, house.keeper.status()])).map((status) => status.keys.erased);
    expect(await keys()).toEqual([0, 0, 0]);
    held.release();
    await until(async () => (await house.keeper.status()).keys.erased === 30_000);
    const again = house.life.hold('from scope group by state', 'before');
    expect((await house.keeper.status()).keys.erased).toBe(30_000);
    again.release();
  });

  it('a vault of an epoch whose roots have begun to be destroyed is led out by accepting the loss (P5)', async () => {
    const { scopeId } = await house.mint(somebody());
    const dump = await house.copies.take();
    await house.keeper.sealEpoch(true);
    const remount = await house.unmount(house.mirrors[1]!);
    expect(await house.keeper.destroyRoots()).toMatchObject({ destroyed: [], outstanding: [{ epoch: 1 }] });
    await house.stop();
    await house.copies.putBack(dump);
    await house.start();
    expect(house.keeper.gate).toMatchObject({ state: 'stale', acceptable: true });
    const { hash } = await house.keeper.recovery.losses();
    await house.keeper.recovery.acceptLosses(hash);
    expect(house.keeper.gate).toMatchObject({ state: 'consistent' });
    expect([...(await house.read([scopeId])).values()]).toEqual(['lost']);
    await remount();
    await house.restart();
    expect(house.keeper.gate).toMatchObject({ state: 'consistent' });
  });

  it('an accepted loss whose reconciliation was cut off opens the gate when it is accepted again (P5)', async () => {
    await house.mint(somebody());
    await house.stop();
    await house.copies.empty();
    await house.start();
    expect(house.keeper.gate).toMatchObject({ state: 'database-empty' });
    const { hash } = await house.keeper.recovery.losses();
    const held = house.life.hold('insert into accepted_loss', 'after');
    const accepted = house.keeper.recovery.acceptLosses(hash);
    await held.reached;
    house.log.awayFor = 1;
    held.release();
    const [report] = await Promise.all([accepted, accepted.then(() => house.keeper.recovery.acceptLosses(hash))]);
    expect(report).toMatchObject({ hash });
    expect(house.keeper.gate).toMatchObject({ state: 'consistent' });
    // A copy from after it may lack no more than what was accepted then: that is accepted once more, and not taken for done.
    const dump = await house.copies.take();
    await house.keeper.sealEpoch(true);
    await house.keeper.destroyRoots();
    await house.stop();
    await house.copies.putBack(dump);
    await house.start();
    expect(house.keeper.gate).toMatchObject({ state: 'stale' });
    expect(await house.keeper.recovery.losses()).toMatchObject({ hash });
    await house.keeper.recovery.acceptLosses(hash);
    expect(house.keeper.gate).toMatchObject({ state: 'consistent' });
  });
});
