import type { OwnerRef, ScopeId, SubjectId } from '#kernel';
import { newId, subjectOwner } from '#kernel';
import { KeeperHouse } from './keeper-house.js';
import { SealWitness } from './seal-witness.js';

const person = (): OwnerRef => subjectOwner(newId<SubjectId>());

/** Owners enough for three buckets: a dirty one, and two clean ones. */
const OWNERS = 70;

describe('a vault that is killed while it seals and destroys roots (P2)', () => {
  let house: KeeperHouse;
  let witness: SealWitness;
  const scopes: { owner: OwnerRef; scopeId: ScopeId }[] = [];
  beforeAll(async () => {
    house = await KeeperHouse.build();
    witness = new SealWitness(house);
    for (let index = 0; index < OWNERS; index++) {
      const owner = person();
      scopes.push({ owner, scopeId: (await witness.mint(owner)).scopeId });
    }
  });
  afterAll(() => house.end());

  /** One shred, a seal, and the end of the old roots: the life that is killed somewhere in it. */
  const live = async (): Promise<void> => {
    await house.keeper.sealEpoch(true);
    await house.keeper.destroyRoots();
  };
  const shredOne = async (): Promise<void> => {
    const { owner, scopeId } = scopes.pop()!;
    await witness.shred(owner, [scopeId]);
  };

  it('is in a legal state wherever it dies, and the next start goes on from there', async () => {
    await shredOne();
    await house.restart();
    await witness.settled();
    const from = house.life.steps;
    await live();
    const steps = house.life.steps - from;
    expect(steps).toBeGreaterThan(50);
    // Before and after in turn: a step counts twice, once before it is taken and once before the process learns of it.
    for (let step = 1; step <= steps; step += 5) {
      await shredOne();
      await house.restart();
      await witness.settled();
      house.life.dieAfter(step);
      await live().catch(() => undefined);
      expect(house.life.isDead).toBe(true);
      await house.stop();
      await house.start();
      // Before anything was asked of it, whatever it is doing by itself.
      await witness.check();
      await house.keeper.sealEpoch(false);
      await house.keeper.destroyRoots();
      const { current, retiring } = await house.keeper.epochs();
      await witness.checkSealed(current);
      expect(retiring).toEqual([]);
      expect(await house.roots()).toEqual([[current], [current]]);
      if (scopes.length < 5)
        for (let more = 0; more < 30; more++) {
          const owner = person();
          scopes.push({ owner, scopeId: (await witness.mint(owner)).scopeId });
        }
    }
    expect(house.refusals).toEqual([]);
  });
});
