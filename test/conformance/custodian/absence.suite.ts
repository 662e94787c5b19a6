import { CustodianMirrors } from '#vault/keeper';
import { drop, entry, foundedOn, foundedOnRemovable, join, openMirrors, seal, shred } from './founding.js';
import type { MirrorPlace } from './place.js';
import { RemovableMirror } from './place.js';

/** What several mirrors promise while one of them is away, and when it comes back. */
export const describeAbsence = (place: () => Promise<MirrorPlace>, many: boolean): void =>
  describe('a mirror that is away', () => {
    const removable = () => foundedOnRemovable(place);

    it.each(['gone', 'failing'] as const)(
      'costs nothing while it is %s, is named, and has everything when it is back',
      async (trouble) => {
        const { a, b, mirrors, statesOf } = await removable();
        b.trouble = trouble;
        for (let n = 0; n < 3; n++) await shred(mirrors);
        expect(mirrors.away()).toMatchObject([{ name: b.name, reason: trouble === 'gone' ? 'missing' : 'failed' }]);
        expect(mirrors.present()).toEqual([a]);
        const restarted = await openMirrors([a, b]);
        expect(restarted.state).toEqual((await statesOf())[0]);
        await shred(restarted);
        b.trouble = 'none';
        await restarted.refresh();
        expect([restarted.away(), restarted.joining()]).toEqual([[], [b]]);
        join(restarted);
        expect(restarted.present()).toEqual([a, b]);
        const [first, second] = await statesOf();
        expect(second).toEqual(first);
        expect(first!.shredded).toHaveLength(4);
      },
    );

    it.each(['missing', 'failed', 'exposed'] as const)(
      'comes back by itself when it was found %s while a key was wrapped',
      async (problem) => {
        const { b, mirrors } = await removable();
        mirrors.joined(b, problem);
        expect(mirrors.away()).toMatchObject([{ name: b.name, reason: problem }]);
        await mirrors.refresh();
        expect([mirrors.away(), mirrors.joining()]).toEqual([[], [b]]);
      },
    );

    it.each(['wrong-root', 'damaged'] as const)(
      'waits for its repair when its root was found %s, and gets another',
      async (problem) => {
        const { all, b, mirrors } = await removable();
        mirrors.joined(b, problem);
        await mirrors.refresh();
        expect(mirrors.away()).toMatchObject([{ name: b.name, reason: problem }]);
        expect(await mirrors.repair(await b.id())).toBe(false);
        expect([mirrors.away(), mirrors.joining(), await all[1].open().epochs()]).toEqual([[], [b], []]);
      },
    );

    if (many) describeLongAbsence(removable);

    it('is not made anew in an empty place: it is away, and the place stays as it is', async () => {
      const all = [await place(), await place()];
      await foundedOn(all.map((at) => at.open()));
      const [gone, empty] = [await all[1]!.open().id(), await place()];
      const mirrors = await openMirrors([all[0]!.open(), empty.open()]);
      await shred(mirrors);
      expect(mirrors.away()).toMatchObject([{ reason: 'missing' }, { id: gone, reason: 'missing' }]);
      await expect(empty.open().id()).rejects.toMatchObject({ reason: 'custodian-missing' });
      await expect(mirrors.repair(gone)).rejects.toMatchObject({ code: 'mirror-unknown' });
    });

    it('that goes while the vault runs is not made anew either', async () => {
      const { a, b, mirrors } = await removable();
      const fresh = new RemovableMirror((await place()).open());
      Object.assign(b, { inner: fresh });
      await shred(mirrors);
      expect(mirrors.present()).toEqual([a]);
      await expect(fresh.id()).rejects.toMatchObject({ reason: 'custodian-missing' });
    });

    it('keeps the attestation open until it has destroyed what it still held', async () => {
      const { all, a, b, mirrors } = await removable();
      const [idA, idB] = [await a.id(), await b.id()];
      b.trouble = 'gone';
      await seal(mirrors);
      expect(await mirrors.destroyRoot(1)).toEqual({ confirmed: [idA], outstanding: [idB] });
      expect(await all[1].open().epochs()).toEqual([1]);
      b.trouble = 'none';
      await mirrors.refresh();
      expect(await all[1].open().epochs()).toEqual([]);
      expect((await mirrors.destroyRoot(1)).outstanding).toEqual([]);
      expect(new Set(mirrors.state!.retiring[0]!.confirmed)).toEqual(new Set([idA, idB]));
      await drop(mirrors, 1);
      expect((await all[1].open().readState())!.epochs).toEqual([2]);
    });

    it('confirms nothing when it goes again before it was asked for its roots', async () => {
      const { all, a, b, mirrors } = await removable();
      const [idA, idB] = [await a.id(), await b.id()];
      b.trouble = 'gone';
      await seal(mirrors);
      await mirrors.destroyRoot(1);
      b.trouble = 'going';
      await mirrors.refresh();
      expect(mirrors.away()).toMatchObject([{ name: b.name }]);
      expect(mirrors.state!.retiring[0]!.confirmed).toEqual([idA]);
      expect(await all[1].open().epochs()).toEqual([1]);
      b.trouble = 'none';
      await mirrors.refresh();
      expect(new Set(mirrors.state!.retiring[0]!.confirmed)).toEqual(new Set([idA, idB]));
      expect(await all[1].open().epochs()).toEqual([]);
    });

    it('that was put back from an old copy under a running vault loses the roots that were destroyed', async () => {
      const { all, mirrors } = await removable();
      const old = (await all[1].open().readState())!;
      await seal(mirrors);
      expect((await mirrors.destroyRoot(1)).outstanding).toEqual([]);
      await drop(mirrors, 1);
      await all[1].open().createRoot(1);
      await all[1].open().writeState(old);
      for (let n = 0; n < 2; n++) await shred(mirrors);
      const [first, second] = [all[0].open(), all[1].open()];
      expect(await second.epochs()).toEqual([2]);
      expect(await second.readState()).toEqual(await first.readState());
    });

    it('does not lose roots that are later than the only state that is left', async () => {
      const { all, mirrors } = await removable();
      const old = (await all[1].open().readState())!;
      await seal(mirrors);
      await all[1].open().writeState(old);
      await openMirrors([all[1].open()]);
      expect(await all[1].open().epochs()).toEqual([1, 2]);
    });

    it('takes its root to the grave only when its epoch is sealed', async () => {
      const { mirrors } = await removable();
      await expect(mirrors.destroyRoot(1)).rejects.toThrow('not sealed');
      await seal(mirrors);
      await expect(mirrors.destroyRoot(2)).rejects.toThrow('not sealed');
    });

    it('leaves nothing to go on with when it was the last one', async () => {
      const { a, b, mirrors } = await removable();
      for (const mirror of [a, b]) mirror.trouble = 'gone';
      await expect(mirrors.change(() => ({ shredded: [entry()] }))).rejects.toMatchObject({
        code: 'vault-unavailable',
      });
      await expect(mirrors.load()).rejects.toMatchObject({ reason: 'custodian-missing' });
      expect(await new CustodianMirrors([a, b]).load()).toBeUndefined();
    });
  });

/** Away for longer than the states that are remembered. */
const describeLongAbsence = (removable: () => ReturnType<typeof foundedOnRemovable>): void => {
  it('is recognised after any number of changes', async () => {
    const { a, b, mirrors, statesOf } = await removable();
    b.trouble = 'gone';
    const shredMany = (all: CustodianMirrors, count: number) =>
      Array.from({ length: count }).reduce<Promise<unknown>>(
        (before) => before.then(() => shred(all)),
        Promise.resolve(),
      );
    await shredMany(mirrors, 150);
    const restarted = await openMirrors([a, b]);
    await shredMany(restarted, 150);
    b.trouble = 'none';
    await restarted.refresh();
    expect(restarted.away()).toEqual([]);
    const [first, second] = await statesOf();
    expect(second).toEqual(first);
  });

  it('keeps nothing from being used when it comes back too old to be told from a fork, and is repaired', async () => {
    const { all, mirrors, statesOf } = await removable();
    const old = (await all[1].open().readState())!;
    for (let n = 0; n < 300; n++) await shred(mirrors);
    await all[1].open().writeState(old);
    const restarted = await openMirrors(all.map((at) => at.open()));
    expect(restarted.away()).toMatchObject([{ reason: 'too-old', id: await all[1].open().id() }]);
    await restarted.repair(await all[1].open().id());
    expect(restarted.away()).toEqual([]);
    const [first, second] = await statesOf();
    expect(second).toEqual(first);
    expect(second!.shredded).toHaveLength(300);
  });
};
