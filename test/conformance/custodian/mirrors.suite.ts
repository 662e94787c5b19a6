import { randomUUID } from 'node:crypto';
import { CustodianMirrors } from '#vault/keeper';
import { foundedOn, foundedOnRemovable, openMirrors, shred } from './founding.js';
import type { MirrorPlace } from './place.js';

/** What several mirrors promise while all of them are there. */
export const describeMirrors = (place: () => Promise<MirrorPlace>, many: boolean): void =>
  describe('several mirrors', () => {
    const two = async () => [await place(), await place()] as const;
    const openAll = (all: readonly MirrorPlace[]) => all.map((at) => at.open());
    const load = async (all: readonly MirrorPlace[]) => (await openMirrors(openAll(all))).state;
    const founded = (all: readonly MirrorPlace[]) => foundedOn(openAll(all));

    it('hold the same state, numbered and linked, after every change', async () => {
      const all = await two();
      const mirrors = await founded(all);
      for (let n = 0; n < 3; n++) await shred(mirrors);
      const [a, b] = await Promise.all(all.map((at) => at.open().readState()));
      expect(a).toEqual(b);
      expect(a).toMatchObject({ format: 2, number: 5, phase: 'founded' });
      expect(a!.ancestors).toHaveLength(4);
      expect(await load(all)).toEqual(a);
    });

    it.each([1, 2, ...(many ? [100] : [])])('roll a mirror forward that lies %i states behind', async (steps) => {
      const all = await two();
      const mirrors = await founded(all);
      const behind = (await all[1].open().readState())!;
      for (let n = 0; n < steps; n++) await shred(mirrors);
      const ahead = await all[0].open().readState();
      await all[1].open().writeState(behind);
      expect(await load(all)).toEqual(ahead);
      expect(await all[1].open().readState()).toEqual(ahead);
    });

    const forked = async () => {
      const all = await two();
      const mirrors = await founded(all);
      const common = (await all[1].open().readState())!;
      await shred(mirrors);
      const ours = (await all[0].open().readState())!;
      for (const at of all) await at.open().writeState(common);
      await shred(await openMirrors(openAll(all)));
      await all[0].open().writeState(ours);
      return { all, ours, theirs: (await all[1].open().readState())! };
    };

    it('refuse a fork, and change nothing', async () => {
      const { all, ours, theirs } = await forked();
      await expect(new CustodianMirrors(openAll(all)).load()).rejects.toMatchObject({ reason: 'fork' });
      expect(await Promise.all(all.map((at) => at.open().readState()))).toEqual([ours, theirs]);
    });

    it('unite the journals of a fork when it is repaired, and nothing of either is lost', async () => {
      const { all, ours, theirs } = await forked();
      const mirrors = new CustodianMirrors(openAll(all));
      await expect(mirrors.load()).rejects.toMatchObject({ reason: 'fork' });
      await mirrors.repair(await all[1].open().id());
      const [a, b] = await Promise.all(all.map((at) => at.open().readState()));
      expect(a).toEqual(b);
      expect(new Set(a!.shredded)).toEqual(new Set([...ours.shredded, ...theirs.shredded]));
      expect(await load(all)).toEqual(a);
      // A crash may have left either branch anywhere: both are strict predecessors from now on.
      for (const old of [ours, theirs]) {
        await all[1].open().writeState(old);
        expect(await load(all)).toEqual(a);
      }
    });

    it('refuse a mirror of another installation', async () => {
      const all = await two();
      await founded(all);
      const other = await place();
      await founded([other]);
      const mixed = new CustodianMirrors(openAll([all[0], other]));
      await expect(mixed.load()).rejects.toMatchObject({ reason: 'foreign' });
    });

    it('finish a founding that a crash interrupted, and found with all mirrors only', async () => {
      const all = await two();
      const mirrors = new CustodianMirrors(openAll(all));
      await mirrors.load();
      const state = await mirrors.found(randomUUID());
      const third = await place();
      const ids = [await all[0].open().id(), await third.open().enrol()];
      await third.open().createRoot(1);
      await all[0].open().writeState({ ...state, mirrors: ids });
      expect(await load([all[0], third])).toMatchObject({ installation: state.installation, phase: 'founding' });
      expect(await third.open().readState()).toMatchObject({ installation: state.installation });
      const incomplete = new CustodianMirrors(openAll([all[0], await place()]));
      await expect(incomplete.load()).rejects.toMatchObject({ reason: 'custodian-missing' });
    });

    it('neither take back nor rely on a change that none of them could write, and carry it on', async () => {
      const { a, b, mirrors, statesOf } = await foundedOnRemovable(place);
      for (const mirror of [a, b]) mirror.trouble = 'failing';
      await expect(shred(mirrors)).rejects.toMatchObject({ code: 'vault-unavailable' });
      await expect(shred(mirrors)).rejects.toMatchObject({ code: 'vault-unavailable' });
      for (const mirror of [a, b]) mirror.trouble = 'none';
      const now = await shred(mirrors);
      const stored = { ...now, shredded: [...now.shredded].sort((x, y) => (x.scopeId < y.scopeId ? -1 : 1)) };
      expect(await statesOf()).toEqual([stored, stored]);
      expect(mirrors.away()).toEqual([]);
    });
  });
