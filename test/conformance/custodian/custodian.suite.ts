import { randomBytes, randomUUID } from 'node:crypto';
import type { ScopeId } from '#kernel';
import { newId } from '#kernel';
import type { Custodian } from '#vault/keeper';
import { CustodianMirrors } from '#vault/keeper';

/** A place for one mirror; each `open` is as if the vault had been started again. */
export interface MirrorPlace {
  open(): Custodian;
  dispose(): Promise<void>;
}

const entry = () => ({ scopeId: newId<ScopeId>(), kind: 'erased' as const, epoch: 1 });

/** What every kind of custodian promises. `makePlace` gives a fresh, unused place. */
export const describeCustodian = (kind: string, makePlace: () => Promise<MirrorPlace>): void =>
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
      it('is empty at first and keeps its id', async () => {
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
    });

    describe('several mirrors', () => {
      const two = async () => [await place(), await place()] as const;
      const openAll = (all: readonly MirrorPlace[]) => new CustodianMirrors(all.map((at) => at.open()));
      const founded = async (all: readonly MirrorPlace[]) => {
        const mirrors = openAll(all);
        await mirrors.load();
        await mirrors.found(randomUUID());
        await mirrors.change(() => ({ phase: 'founded' }));
        return mirrors;
      };
      const shred = (mirrors: CustodianMirrors) =>
        mirrors.change(({ shredded }) => ({ shredded: [...shredded, entry()] }));

      it('hold the same state, numbered and linked, after every change', async () => {
        const all = await two();
        const mirrors = await founded(all);
        for (let n = 0; n < 3; n++) await shred(mirrors);
        const [a, b] = await Promise.all(all.map((at) => at.open().readState()));
        expect(a).toEqual(b);
        expect(a).toMatchObject({ number: 5, phase: 'founded' });
        expect(a!.ancestors).toHaveLength(4);
        expect(await openAll(all).load()).toEqual(a);
      });

      it.each([1, 2, 100])('roll a mirror forward that lies %i states behind', async (steps) => {
        const all = await two();
        const mirrors = await founded(all);
        const behind = (await all[1].open().readState())!;
        for (let n = 0; n < steps; n++) await shred(mirrors);
        const ahead = await all[0].open().readState();
        await all[1].open().writeState(behind);
        expect(await openAll(all).load()).toEqual(ahead);
        expect(await all[1].open().readState()).toEqual(ahead);
      });

      it('refuse a fork, and change nothing', async () => {
        const all = await two();
        const mirrors = await founded(all);
        const common = (await all[1].open().readState())!;
        await shred(mirrors);
        const ours = await all[0].open().readState();
        for (const at of all) await at.open().writeState(common);
        await shred(await (async (again) => (await again.load(), again))(openAll(all)));
        await all[0].open().writeState(ours!);
        const theirs = await all[1].open().readState();
        await expect(openAll(all).load()).rejects.toMatchObject({ reason: 'fork' });
        expect(await Promise.all(all.map((at) => at.open().readState()))).toEqual([ours, theirs]);
      });

      it('refuse a mirror that is empty, missing, added or of another installation', async () => {
        const all = await two();
        await founded(all);
        const [other] = [await place()];
        await founded([other]);
        await expect(openAll([all[0], await place()]).load()).rejects.toMatchObject({ reason: 'custodian-missing' });
        await expect(openAll([all[0]]).load()).rejects.toMatchObject({ reason: 'custodian-missing' });
        await expect(openAll([...all, await place()]).load()).rejects.toMatchObject({ reason: 'custodian-missing' });
        await expect(openAll([all[0], other]).load()).rejects.toMatchObject({ reason: 'foreign' });
      });

      it('finish a founding that a crash interrupted', async () => {
        const all = await two();
        const mirrors = openAll(all);
        await mirrors.load();
        const state = await mirrors.found(randomUUID());
        const third = await place();
        const ids = [await all[0].open().id(), await third.open().enrol()];
        await third.open().createRoot(1);
        await all[0].open().writeState({ ...state, mirrors: ids });
        expect(await openAll([all[0], third]).load()).toMatchObject({
          installation: state.installation,
          phase: 'founding',
        });
        expect(await third.open().readState()).toMatchObject({ installation: state.installation });
      });

      it('neither take back nor rely on a change that one of them could not write, and carry it forward', async () => {
        const all = await two();
        await founded(all);
        const broken = all[1].open();
        const write = broken.writeState.bind(broken);
        let fails = true;
        broken.writeState = async (state) => {
          if (fails) throw new Error('EIO');
          await write(state);
        };
        const mirrors = new CustodianMirrors([all[0].open(), broken]);
        await mirrors.load();
        await expect(shred(mirrors)).rejects.toMatchObject({ code: 'vault-unavailable' });
        expect((await all[0].open().readState())!.shredded).toHaveLength(1);
        expect((await all[1].open().readState())!.shredded).toHaveLength(0);
        await expect(shred(mirrors)).rejects.toMatchObject({ code: 'vault-unavailable' });
        fails = false;
        const now = await shred(mirrors);
        expect(now.shredded).toHaveLength(2);
        // Stored in an order that says nothing: by scope id, whenever it was shredded.
        const shredded = [...now.shredded].sort((a, b) => (a.scopeId < b.scopeId ? -1 : 1));
        const stored = { ...now, shredded };
        expect(await Promise.all(all.map((at) => at.open().readState()))).toEqual([stored, stored]);
      });
    });
  });
