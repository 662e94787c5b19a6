import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OwnerRef, ScopeId, SubjectId } from '#kernel';
import { newId, subjectOwner } from '#kernel';
import { KeeperHouse } from './keeper-house.js';
import { SealWitness } from './seal-witness.js';

const person = (): OwnerRef => subjectOwner(newId<SubjectId>());

const journalOf = async (mirror: string) =>
  JSON.parse((await readFile(join(mirror, 'custodian.state'), 'utf8')).split('\n')[1]!) as {
    epochs: number[];
    pending: unknown[];
    shredded: [string, string, number][];
    closed: [string, string, number][];
    retiring: { epoch: number; confirmed: string[] }[];
  };

describe('a seal (P2)', () => {
  let house: KeeperHouse;
  let witness: SealWitness;
  beforeEach(async () => {
    house = await KeeperHouse.build();
    witness = new SealWitness(house);
  });
  afterEach(() => house.end());

  it('does nothing when nothing was shredded, unless it is forced', async () => {
    await witness.mint(person());
    expect(await house.keeper.sealEpoch(false)).toEqual({
      ...{ epoch: 1, sealed: false, rotated: 0, rewrapped: 0, destroyAt: undefined },
    });
    expect(await house.keeper.sealEpoch(true)).toMatchObject({ epoch: 2, sealed: true, rotated: 0, rewrapped: 1 });
    await witness.checkSealed(2);
  });

  it('gives the bucket of a shredded key a fresh one, and wraps the others’ anew', async () => {
    const owners = Array.from({ length: 40 }, person);
    const scopes = await Promise.all(owners.map((owner) => witness.mint(owner)));
    const before = await witness.buckets();
    expect(before).toHaveLength(2);
    await witness.shred(owners[0]!, [scopes[0]!.scopeId]);
    const [dirty] = (await witness.buckets()).filter((bucket) => bucket.dirty);
    const report = await house.keeper.sealEpoch(false);
    expect(report).toMatchObject({ epoch: 2, sealed: true, rotated: 1, rewrapped: 1 });
    const after = new Map((await witness.buckets()).map((bucket) => [bucket.bucket_id, bucket]));
    for (const { bucket_id: id, generation } of before)
      expect(after.get(id)).toMatchObject({
        ...{ epoch: 2, dirty: false, generation: id === dirty!.bucket_id ? generation + 1 : generation },
      });
    await witness.checkSealed(2);
    await house.restart();
    await witness.checkSealed(2);
  });

  it('takes the fence along: exceptions, expired scopes and closed persons stay what they are', async () => {
    const [fenced, expiring, closing, erasing] = [person(), person(), person(), person()];
    const [expired, erased, kept] = [
      await witness.mint(expiring, 'purchase', 'p1'),
      await witness.mint(closing),
      await witness.mint(erasing, 'service', 'case-1'),
    ];
    const doomed = await witness.mint(erasing);
    await house.keeper.fence({
      ...{ orderId: randomUUID(), owner: fenced, kind: 'erasure' },
      except: [{ category: 'service', partition: 'case-1' }],
    });
    await witness.shred(expiring, [expired.scopeId], 'expiry');
    await house.keeper.closeForEver(closing, await witness.shred(closing, [erased.scopeId]));
    const orderId = randomUUID();
    const except = [{ category: 'service', partition: 'case-1' }];
    await house.keeper.fence({ orderId, owner: erasing, kind: 'erasure', except });
    await house.keeper.shred({ orderId, owner: erasing, kind: 'erasure', scopeIds: [doomed.scopeId] });
    await house.keeper.release(erasing, orderId);
    await witness.note([doomed.scopeId]);
    for (const epoch of [2, 3, 4]) {
      await house.keeper.sealEpoch(true);
      await witness.checkSealed(epoch);
      await expect(house.mint(fenced)).rejects.toMatchObject({ code: 'subject-closed' });
      await witness.mint(fenced, 'service', 'case-1');
      await expect(house.mint(expiring, 'purchase', 'p1')).rejects.toMatchObject({ code: 'scope-shredded' });
      await expect(house.mint(closing)).rejects.toMatchObject({ code: 'subject-closed' });
      await expect(house.mint(erasing)).rejects.toMatchObject({ code: 'subject-closed' });
      expect((await house.mint(erasing, 'service', 'case-1')).scopeId).toBe(kept.scopeId);
      expect(await house.keeper.scopesOf(expiring)).toMatchObject([{ scopeId: expired.scopeId, state: 'shredded' }]);
    }
  });

  it('goes on beside mint, open, shred and fence, and a second call joins it', async () => {
    const owners = Array.from({ length: 300 }, person);
    const scopes: { owner: OwnerRef; scopeId: ScopeId }[] = [];
    for (let first = 0; first < owners.length; first += 100)
      for (const [index, minted] of (
        await Promise.all(owners.slice(first, first + 100).map((owner) => witness.mint(owner)))
      ).entries())
        scopes.push({ owner: owners[first + index]!, scopeId: minted.scopeId });
    const toShred = scopes.filter((_, index) => index % 23 === 0);
    let sealing = true;
    const until = async (work: (round: number) => Promise<unknown>) => {
      for (let round = 0; sealing; round++) await work(round);
    };
    const seals = (async () => {
      await witness.shred(owners[1]!, [scopes[1]!.scopeId]);
      for (let round = 0; round < 6; round++) {
        const [a, b] = await Promise.all([house.keeper.sealEpoch(true), house.keeper.sealEpoch(false)]);
        expect(b).toEqual(a);
      }
      sealing = false;
    })();
    const shredded: ScopeId[] = [];
    await Promise.all([
      seals,
      ...[0, 1].map(() =>
        until((round) => witness.mint(owners[(round * 7) % 300]!, 'purchase', `p${round % 9}`).catch(refused)),
      ),
      until(() => witness.mint(person())),
      until(async () => {
        const next = toShred.pop();
        if (next) shredded.push(...(await house.shred(next.owner, [next.scopeId], 'expiry'), [next.scopeId]));
        else await new Promise((resolve) => setImmediate(resolve));
      }),
      until(async (round) => {
        const owner = owners[(round * 11 + 5) % 300]!;
        const orderId = randomUUID();
        await house.keeper
          .fence({ orderId, owner, kind: 'expiry', except: [{ category: 'purchase', partition: 'p1' }] })
          .catch(refused);
        await house.keeper.release(owner, orderId);
      }),
      until(async (round) => {
        const some = scopes.slice((round * 50) % 250, ((round * 50) % 250) + 50).map(({ scopeId }) => scopeId);
        for (const [scopeId, read] of await house.read(some))
          expect([scopeId, read]).toEqual([scopeId, expect.stringMatching(/^[0-9a-f]{64}$|^erased$|^expired$/)]);
      }),
    ]);
    await witness.note(shredded);
    await house.keeper.sealEpoch(true);
    await witness.checkSealed(8);
    await house.restart();
    await witness.checkSealed(8);
  });

  it('lets no bucket slip into an epoch that ended while it was made', async () => {
    const [minted, fenced] = [person(), person()];
    const writing = house.life.hold('mint-write', 'before');
    const minting = witness.mint(minted);
    await writing.reached;
    await house.keeper.sealEpoch(true);
    writing.release();
    await minting;
    const inserting = house.life.hold('insert into bucket', 'before');
    const fencing = house.keeper.fence({
      ...{ orderId: randomUUID(), owner: fenced, kind: 'erasure', except: [{ category: 'contact', partition: '' }] },
    });
    await inserting.reached;
    await house.keeper.sealEpoch(true);
    inserting.release();
    await fencing;
    await witness.checkSealed(3);
    await house.restart();
    await witness.checkSealed(3);
    await witness.mint(fenced);
  });

  it('answers for what was read just before the seal ended', async () => {
    const { scopeId, key } = await witness.mint(person());
    await house.restart();
    await house.keeper.destroyRoots();
    const looking = house.life.hold('as asked (scope_id, n)', 'after');
    const reading = house.read([scopeId]);
    await looking.reached;
    await house.keeper.sealEpoch(true);
    looking.release();
    expect((await reading).get(scopeId)).toBe(key);
  });

  it('takes a fence along that went up while its bucket was being moved', async () => {
    const [owner, other] = [person(), person()];
    await witness.mint(owner, 'service', 'case-1');
    const { scopeId } = await witness.mint(other);
    await witness.shred(other, [scopeId]);
    const moving = house.life.hold('and epoch < $2', 'before');
    const sealing = house.keeper.sealEpoch(false);
    await moving.reached;
    await house.keeper.fence({
      ...{ orderId: randomUUID(), owner, kind: 'erasure', except: [{ category: 'service', partition: 'case-2' }] },
    });
    moving.release();
    expect(await sealing).toMatchObject({ rotated: 1 });
    await witness.checkSealed(2);
    await witness.mint(owner, 'service', 'case-2');
    await expect(house.mint(owner)).rejects.toMatchObject({ code: 'subject-closed' });
  });

  it('leaves a bucket dirty in which something is shredded after it was moved: the order is cleared with the later epoch', async () => {
    const [early, late] = [person(), person()];
    const [first, second] = [await witness.mint(early), await witness.mint(late)];
    const before = await witness.shred(early, [first.scopeId]);
    await house.keeper.sealEpoch(false);
    const after = await witness.shred(late, [second.scopeId]);
    expect(await house.keeper.clearing(before, 0)).toMatchObject({ epoch: 1 });
    expect(await house.keeper.clearing(after, 0)).toMatchObject({ epoch: 2, clearedAt: undefined });
    await house.keeper.destroyRoots();
    expect(await house.keeper.clearing(before, 0)).toMatchObject({
      epoch: 1,
      clearedAt: expect.any(String),
      mirrors: 2,
    });
    expect(await house.keeper.clearing(after, 0)).toMatchObject({ epoch: 2, clearedAt: undefined });
    expect((await journalOf(house.mirrors[0]!)).shredded.map(([scopeId]) => scopeId)).not.toContain(first.scopeId);
    await house.keeper.sealEpoch(false);
    await house.keeper.destroyRoots();
    expect(await house.keeper.clearing(after, 0)).toMatchObject({ epoch: 2, clearedAt: expect.any(String) });
    await witness.checkSealed(3);
  });

  it('keeps the mark of a shred that came between the moving of its bucket and the end of the seal', async () => {
    const owner = person();
    const { scopeId } = await witness.mint(owner);
    await witness.mint(person());
    const ending = house.life.hold('delete from epoch_key where epoch < ', 'before');
    const sealing = house.keeper.sealEpoch(true);
    await ending.reached;
    await witness.shred(owner, [scopeId]);
    ending.release();
    expect(await sealing).toMatchObject({ epoch: 2, rewrapped: 1 });
    expect(await witness.buckets()).toMatchObject([{ epoch: 2, dirty: true }]);
    expect(await house.keeper.sealEpoch(false)).toMatchObject({ epoch: 3, rotated: 1 });
    await witness.checkSealed(3);
  });

  it('keeps the journal of an epoch for as long as the root of an earlier one exists, also after the window was shortened', async () => {
    house.windowMs = 86_400_000;
    await house.restart();
    const [early, late] = [person(), person()];
    const [first, second] = [await witness.mint(early), await witness.mint(late)];
    await witness.shred(early, [first.scopeId]);
    const { destroyAt } = await house.keeper.sealEpoch(false);
    house.windowMs = 0;
    await house.restart();
    const orderId = await witness.shred(late, [second.scopeId]);
    await house.keeper.sealEpoch(false);
    expect(await house.keeper.destroyRoots()).toEqual({ destroyed: [2], outstanding: [] });
    expect(await house.roots()).toEqual([
      [1, 3],
      [1, 3],
    ]);
    // A copy from epoch 1 opens still, and both lived in it.
    expect(await house.keeper.clearing(orderId, 0)).toMatchObject({
      epoch: 2,
      plannedFor: destroyAt,
      clearedAt: undefined,
    });
    await house.restart();
    const { shredded } = await journalOf(house.mirrors[0]!);
    expect(new Set(shredded.map(([scopeId]) => scopeId))).toEqual(new Set([first.scopeId, second.scopeId]));
    house.clock.aheadMs = 86_400_000;
    expect(await house.keeper.destroyRoots()).toEqual({ destroyed: [1], outstanding: [] });
    expect((await journalOf(house.mirrors[0]!)).shredded).toEqual([]);
    expect(await house.keeper.clearing(orderId, 0)).toMatchObject({ clearedAt: expect.any(String) });
  });

  it('clears an order with the epoch in which its person’s tombstones were emptied', async () => {
    const owner = person();
    const [a, b] = [await witness.mint(owner), await witness.mint(owner, 'purchase', 'p1')];
    await witness.shred(owner, [b.scopeId], 'expiry');
    const orderId = await witness.shred(owner, [a.scopeId]);
    await house.keeper.sealEpoch(false);
    await house.keeper.closeForEver(owner, orderId);
    expect(await house.keeper.clearing(orderId, 0)).toMatchObject({ epoch: 2 });
    expect(await house.keeper.clearing(randomUUID(), 0)).toBeUndefined();
    expect(await house.keeper.clearing(randomUUID(), 1)).toMatchObject({ epoch: 1 });
  });

  it('destroys a root on its date and not before, whatever the window', async () => {
    house.windowMs = 86_400_000;
    await house.restart();
    const owner = person();
    const { scopeId } = await witness.mint(owner);
    await witness.mint(person());
    const orderId = await witness.shred(owner, [scopeId]);
    const { destroyAt } = await house.keeper.sealEpoch(false);
    expect(await house.keeper.destroyRoots()).toEqual({ destroyed: [], outstanding: [] });
    expect(await house.roots()).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(await house.keeper.clearing(orderId, 0)).toMatchObject({ plannedFor: destroyAt, clearedAt: undefined });
    await house.restart();
    expect((await journalOf(house.mirrors[0]!)).shredded).toHaveLength(1);
    house.clock.aheadMs = 86_400_000;
    expect(await house.keeper.destroyRoots()).toEqual({ destroyed: [1], outstanding: [] });
    expect(await house.roots()).toEqual([[2], [2]]);
    expect((await journalOf(house.mirrors[1]!)).shredded).toEqual([]);
    await house.restart();
    await witness.checkSealed(2);
  });

  it('says what its epochs are at any moment of a seal', async () => {
    await witness.mint(person());
    for (let seals = 0; seals < 10; seals++) {
      let isUnderWay = true;
      const seal = house.keeper.sealEpoch(true).finally(() => (isUnderWay = false));
      const ask = async () => {
        while (isUnderWay) expect(Date.parse((await house.keeper.epochs()).openedAt)).not.toBeNaN();
      };
      await Promise.all([seal, ask(), ask(), ask()]);
    }
  });

  it('keeps the journal until the last mirror has confirmed, and lets nobody claim that it is cleared', async () => {
    const owner = person();
    const { scopeId } = await witness.mint(owner);
    await witness.mint(person());
    const orderId = await witness.shred(owner, [scopeId]);
    await house.keeper.closeForEver(owner, orderId);
    await house.restart();
    const bringBack = await house.unmount(house.mirrors[1]!);
    await house.keeper.sealEpoch(false);
    for (const _ of [1, 2]) {
      expect(await house.keeper.destroyRoots()).toEqual({
        ...{ destroyed: [], outstanding: [{ epoch: 1, mirrors: [house.mirrors[1]] }] },
      });
      expect(await house.roots()).toEqual([[2]]);
      expect(await house.keeper.clearing(orderId, 0)).toMatchObject({ epoch: 1, clearedAt: undefined });
      const { shredded, closed, epochs } = await journalOf(house.mirrors[0]!);
      expect([shredded.length, closed.length, epochs]).toEqual([1, 1, [1, 2]]);
    }
    await house.restart();
    expect(await house.keeper.epochs()).toMatchObject({
      retiring: [{ epoch: 1, outstanding: [expect.any(String)] }],
    });
    await bringBack();
    // What was begun goes on by itself after a start, so that this may find nothing to do any more.
    expect(await house.keeper.destroyRoots()).toMatchObject({ outstanding: [] });
    expect(await house.roots()).toEqual([[2], [2]]);
    const { shredded, closed, epochs } = await journalOf(house.mirrors[1]!);
    expect([shredded, closed, epochs]).toEqual([[], [], [2]]);
    expect(await house.keeper.clearing(orderId, 0)).toMatchObject({ clearedAt: expect.any(String) });
    await witness.checkSealed(2);
    // The mirror that was away while the epoch began opens it alone.
    await house.stop();
    await house.unmount(house.mirrors[0]!);
    await house.start();
    await witness.checkSealed(2);
  });

  it('goes on with everything else when one bucket is damaged, and keeps the old root until that is settled', async () => {
    const owners = Array.from({ length: 70 }, person);
    const scopes = await Promise.all(owners.map((owner) => witness.mint(owner)));
    await witness.shred(owners[0]!, [scopes[0]!.scopeId]);
    const [torn] = await house.sql<{ bucket_id: string; wrapped: Buffer }>(
      'select * from bucket where not dirty limit 1',
    );
    await house.sql(`update bucket set wrapped = '\\x00' where bucket_id = $1`, [torn!.bucket_id]);
    await house.restart();
    await expect(house.keeper.sealEpoch(false)).rejects.toMatchObject({ code: 'key-damaged' });
    expect((await witness.buckets()).filter(({ epoch }) => epoch === 1)).toHaveLength(1);
    expect(await house.keeper.epochs()).toMatchObject({ current: 2, sealing: true, retiring: [] });
    expect(await house.keeper.destroyRoots()).toEqual({ destroyed: [], outstanding: [] });
    await house.sql('update bucket set wrapped = $2 where bucket_id = $1', [torn!.bucket_id, torn!.wrapped]);
    expect(await house.keeper.sealEpoch(false)).toMatchObject({ epoch: 2, sealed: true, rewrapped: 1 });
    await witness.checkSealed(2);
  });
});

/** A fence of one of the others. */
const refused = (error: unknown): void => {
  expect(error).toMatchObject({ code: expect.stringMatching(/^(subject-closed|scope-shredded|erasure-in-progress)$/) });
};
