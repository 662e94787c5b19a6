import { foundedOn, foundedOnRemovable, join, openMirrors, seal, shred } from './founding.js';
import type { MirrorPlace } from './place.js';

const AT = '2026-11-20T00:00:00.000Z';

/** How mirrors come and go. */
export const describeEnrolment = (place: () => Promise<MirrorPlace>): void =>
  describe('the mirrors enrolled', () => {
    it('grow by one that gets state and root, and once only', async () => {
      const { all, mirrors } = await foundedOnRemovable(place);
      await seal(mirrors);
      const third = await place();
      const id = await mirrors.enrol(third.open());
      expect(await mirrors.enrol(third.open())).toBe(id);
      join(mirrors);
      await shred(mirrors);
      expect(await third.open().readState()).toEqual(await all[0].open().readState());
      expect(mirrors.state!.mirrors).toHaveLength(3);
      expect(await third.open().epochs()).toEqual([2]);
      expect((await openMirrors([...all, third].map((at) => at.open()))).away()).toEqual([]);
    });

    it('never take in a place that holds another custodian', async () => {
      const { mirrors } = await foundedOnRemovable(place);
      const other = await place();
      await foundedOn([other.open()]);
      await expect(mirrors.enrol(other.open())).rejects.toMatchObject({ code: 'mirror-unfit' });
    });

    it('no longer wait for one that was retired, and its roots go', async () => {
      const { all, a, b, mirrors } = await foundedOnRemovable(place);
      const [idA, idB] = [await a.id(), await b.id()];
      b.trouble = 'gone';
      await seal(mirrors);
      expect((await mirrors.destroyRoot(1)).outstanding).toEqual([idB]);
      await mirrors.retire(idB, AT);
      await mirrors.retire(idB, AT);
      expect(await mirrors.destroyRoot(1)).toEqual({ confirmed: [idA], outstanding: [] });
      expect(mirrors.state).toMatchObject({ mirrors: [idA], retiredMirrors: [{ id: idB, at: AT }] });
      b.trouble = 'none';
      await mirrors.refresh();
      expect(await all[1].open().epochs()).toEqual([]);
      expect(mirrors.away()).toMatchObject([{ id: idB, reason: 'retired' }]);
      await expect(mirrors.enrol(all[1].open())).rejects.toMatchObject({ code: 'mirror-unfit' });
    });

    it('never lose the last one that is present', async () => {
      const { a, b, mirrors } = await foundedOnRemovable(place);
      a.trouble = 'gone';
      await shred(mirrors);
      await expect(mirrors.retire(await b.id(), AT)).rejects.toMatchObject({ code: 'mirror-last' });
      await expect(mirrors.retire(AT, AT)).rejects.toMatchObject({ code: 'mirror-unknown' });
    });
  });
