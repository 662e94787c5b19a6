import type { OwnerRef, ScopeId, SubjectId } from '#kernel';
import { newId, subjectOwner } from '#kernel';
import { KeeperHouse } from './keeper-house.js';
import { SealWitness } from './seal-witness.js';

const person = (): OwnerRef => subjectOwner(newId<SubjectId>());
const WINDOW_MS = 86_400_000;

interface Moment {
  readonly copy: string;
  /** Scopes that existed then. */
  readonly known: readonly ScopeId[];
}

describe('a copy of the vault from before a seal, put back (P3)', () => {
  let house: KeeperHouse;
  let witness: SealWitness;
  const moments = new Map<string, Moment>();
  const orders: { orderId: string; epoch: number }[] = [];

  const remember = async (name: string) =>
    moments.set(name, { copy: await house.copies.take(), known: [...witness.live.keys(), ...witness.gone] });
  const putBack = async (name: string): Promise<Moment> => {
    const moment = moments.get(name)!;
    await house.stop();
    await house.copies.putBack(moment.copy);
    await house.start();
    return moment;
  };
  const shredOne = async (victim: { owner: OwnerRef; scopeId: ScopeId }) => {
    const orderId = await witness.shred(victim.owner, [victim.scopeId]);
    orders.push({ orderId, epoch: (await house.keeper.clearing(orderId, 0))!.epoch });
  };

  beforeAll(async () => {
    house = await KeeperHouse.build();
    house.windowMs = WINDOW_MS;
    await house.restart();
    witness = new SealWitness(house);
    const people: { owner: OwnerRef; scopeId: ScopeId }[] = [];
    for (let index = 0; index < 70; index++) {
      const owner = person();
      people.push({ owner, scopeId: (await witness.mint(owner)).scopeId });
    }
    await remember('before everything');
    await shredOne(people[0]!);
    await remember('one is forgotten');
    const moving = house.life.hold('and epoch < $2', 'before');
    const sealing = house.keeper.sealEpoch(false);
    await moving.reached;
    await remember('a seal is under way');
    moving.release();
    await sealing;
    await witness.mint(person());
    await remember('sealed');
    await shredOne(people[40]!);
    await house.keeper.closeForEver(people[40]!.owner, orders[1]!.orderId);
    await remember('another is forgotten');
    await house.keeper.sealEpoch(false);
    await shredOne(people[69]!);
    await remember('a third is forgotten, after a second seal');
    witness.forgetGenerations();
  });
  afterAll(() => house.end());

  it.each([
    'before everything',
    'one is forgotten',
    'a seal is under way',
    'sealed',
    'another is forgotten',
    'a third is forgotten, after a second seal',
  ])('opens while its root exists, and nobody is back: %s', async (name) => {
    const { known } = await putBack(name);
    expect(house.keeper.gate.state).toMatch(/^(reconciled|consistent)$/);
    const read = await house.read(known);
    for (const scopeId of known)
      expect(read.get(scopeId)).toMatch(witness.gone.has(scopeId) ? /^(erased|expired)$/ : /^[0-9a-f]{64}$/);
    // Of those whom this copy never knew, the journal knows who is gone.
    for (const [scopeId, state] of await house.read([...witness.gone]))
      expect([scopeId, state]).toEqual([scopeId, 'erased']);
    await house.keeper.sealEpoch(false);
    const { current, sealing } = await house.keeper.epochs();
    expect([current, sealing]).toEqual([expect.any(Number), false]);
    // Every epoch in which somebody was forgotten has ended, also one that this copy has never seen.
    for (const { epoch } of orders) expect(epoch).toBeLessThan(current);
    for (const scopeId of known)
      if (!witness.gone.has(scopeId))
        expect((await house.read([scopeId])).get(scopeId)).toBe(witness.live.get(scopeId));
  });

  it('is refused once its root is gone, and every order is cleared, also one that the copy knows nothing of', async () => {
    await house.keeper.sealEpoch(false);
    house.clock.aheadMs = WINDOW_MS;
    const present = await house.copies.take();
    // One mirror has destroyed its root and the other is away, with a root that opens: there is no way back from that.
    const bringBack = await house.unmount(house.mirrors[1]!);
    expect((await house.keeper.destroyRoots()).outstanding).not.toEqual([]);
    await house.stop();
    await bringBack();
    await putBack('sealed');
    expect(house.keeper.gate.state).toBe('stale');
    await house.stop();
    await house.copies.putBack(present);
    await house.start();
    expect((await house.keeper.destroyRoots()).outstanding).toEqual([]);
    const { current, retiring } = await house.keeper.epochs();
    expect(retiring).toEqual([]);
    for (const { orderId, epoch } of orders) {
      expect(epoch).toBeLessThan(current);
      expect((await house.keeper.clearing(orderId, epoch))?.clearedAt).toEqual(expect.any(String));
    }
    for (const name of moments.keys()) {
      await putBack(name);
      expect([name, house.keeper.gate.state]).toEqual([name, 'stale']);
      await expect(house.read([...witness.gone])).rejects.toMatchObject({ code: 'vault-unavailable' });
    }
    await house.stop();
    await house.copies.putBack(present);
    await house.start();
    expect(house.keeper.gate.state).toBe('consistent');
  });
});
