import { randomBytes, randomUUID } from 'node:crypto';
import type { MirrorPlace } from './place.js';
import { describeMirrors } from './mirrors.suite.js';
import { describeAbsence } from './absence.suite.js';
import { describeEnrolment } from './enrolment.suite.js';

/**
 * What every kind of custodian promises. `makePlace` gives a fresh, unused place. `many: false` leaves out what takes hundreds
 * of changes and is the same for every kind.
 */
export const describeCustodian = (
  kind: string,
  makePlace: () => Promise<MirrorPlace>,
  { many = true }: { readonly many?: boolean } = {},
): void =>
  describe(`the custodian on ${kind}`, () => {
    const places: MirrorPlace[] = [];
    const place = async () => {
      const made = await makePlace();
      places.push(made);
      return made;
    };
    afterEach(async () => {
      for (const made of places.splice(0)) await made.dispose();
    });

    describe('one mirror', () => {
      it('is empty at first, makes nothing by being asked, and keeps its id', async () => {
        const at = await place();
        expect(await at.open().readState()).toBeUndefined();
        expect(await at.open().epochs()).toEqual([]);
        await expect(at.open().id()).rejects.toMatchObject({ reason: 'custodian-missing' });
        await expect(at.open().createRoot(1)).rejects.toMatchObject({ reason: 'custodian-missing' });
        const id = await at.open().enrol();
        expect([await at.open().id(), await at.open().enrol()]).toEqual([id, id]);
        expect(await (await place()).open().enrol()).not.toBe(id);
      });

      it('makes a root once, and wraps for one epoch of one installation', async () => {
        const [a, b] = [await place(), await place()];
        for (const at of [a, b]) {
          await at.open().enrol();
          await at.open().createRoot(1);
        }
        const key = randomBytes(32);
        const home = { installation: randomUUID(), epoch: 1 };
        const wrapped = await a.open().wrapEpochKey(home, key);
        await a.open().createRoot(1);
        expect(Buffer.from((await a.open().unwrapEpochKey(home, wrapped))!)).toEqual(key);
        expect(await a.open().unwrapEpochKey({ ...home, installation: randomUUID() }, wrapped)).toBeUndefined();
        expect(await b.open().unwrapEpochKey(home, wrapped)).toBeUndefined();
        expect(await a.open().epochs()).toEqual([1]);
        await a.open().createRoot(2);
        expect(await a.open().epochs()).toEqual([1, 2]);
        expect(await a.open().unwrapEpochKey({ ...home, epoch: 2 }, wrapped)).toBeUndefined();
        await expect(a.open().unwrapEpochKey({ ...home, epoch: 3 }, wrapped)).rejects.toMatchObject({
          reason: 'custodian-missing',
        });
      });

      it('destroys a root for good: nothing opens under it, also not under one made in its place', async () => {
        const at = await place();
        await at.open().enrol();
        for (const epoch of [1, 2]) await at.open().createRoot(epoch);
        const [first, second] = [1, 2].map((epoch) => ({ installation: randomUUID(), epoch }));
        const key = randomBytes(32);
        const lost = await at.open().wrapEpochKey(first!, key);
        const kept = await at.open().wrapEpochKey(second!, key);
        const open = at.open();
        for (let n = 0; n < 2; n++) await open.destroyRoot(1);
        expect(await at.open().epochs()).toEqual([2]);
        await expect(at.open().unwrapEpochKey(first!, lost)).rejects.toMatchObject({ reason: 'custodian-missing' });
        await at.open().createRoot(1);
        expect(await at.open().unwrapEpochKey(first!, lost)).toBeUndefined();
        expect(Buffer.from((await at.open().unwrapEpochKey(second!, kept))!)).toEqual(key);
      });
    });

    describeMirrors(place, many);
    describeAbsence(place, many);
    describeEnrolment(place);
  });
