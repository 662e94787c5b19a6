import { randomUUID } from 'node:crypto';
import type { OwnerRef } from '#kernel';
import { newId, subjectOwner } from '#kernel';
import type { SubjectId } from '#kernel';
import { KeeperHouse } from './keeper-house.js';

const somebody = (): OwnerRef => subjectOwner(newId<SubjectId>());

const until = async (holds: () => Promise<boolean> | boolean): Promise<void> => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
};

/** Who holds the right to write. */
const LOCKED = `select pid from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`;

/** P2, P3, P5: what happens to meet in the vault, at the worst moment. */
describe('operations of the vault that meet', () => {
  let house: KeeperHouse;
  beforeEach(async () => {
    house = await KeeperHouse.build();
  });
  afterEach(() => house.end());

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
    const backends = await house.sql<{ pid: number }>(
      `select pid from pg_stat_activity where datname = current_database() and state = 'idle in transaction' and application_name like '%keeper%'`,
    );
    expect(backends).toHaveLength(1);
    await letGo();
    await until(
      async () =>
        (
          await house.sql(
            `select 1 from pg_stat_activity a where datname = current_database() and $1 = any(pg_blocking_pids(pid))`,
            [backends[0]!.pid],
          )
        ).length > 0,
    );
    await house.sql('select pg_terminate_backend($1)', [backends[0]!.pid]);
    held.release();
    await Promise.all([sealed, shredded]);
    await until(() => ['consistent', 'reconciled'].includes(house.keeper.gate.state));

    const [row] = await house.sql<{ epoch: number }>('select epoch from receipt where order_id = $1', [orderId]);
    // The seal has wrapped the key of the shredded scope's bucket under epoch 2: a copy from then opens under that root.
    expect(row).toEqual({ epoch: 2 });
    expect((await house.state()).shredded).toMatchObject([{ epoch: 2 }]);
  });

  it('the right to write that is lost while the gate opens is noticed, and taken anew (P5)', async () => {
    await house.mint(somebody());
    const lose = () => house.sql(`select pg_terminate_backend(pid, 5000) from (${LOCKED}) as locked`);
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
    session.renew(1);
    expect(house.keeper.holders.isLive('spec')).toBe(true);
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
