import { randomUUID } from 'node:crypto';
import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { OwnerRef, ScopeId, SubjectId } from '#kernel';
import { newId, subjectOwner } from '#kernel';
import { eventually } from '../journeys/installation.js';
import type { VaultHouse } from './vault-house.js';
import { startVaultHouse } from './vault-house.js';

const AD = new TextEncoder().encode('event');

/** P2, P3, P5: what a mirror that is lost, away or comes back old can't take from the vault, nor bring back. */
describe('a vault with mirrored custodians', () => {
  let house: VaultHouse;
  let [a, b] = ['', ''];
  beforeEach(async () => {
    house = await startVaultHouse();
    [a, b] = [house.mirrors[0]!, house.mirrors[1]!];
  });
  afterEach(() => house.end());

  interface Sealed {
    readonly owner: OwnerRef;
    readonly scopeId: ScopeId;
    readonly block: Uint8Array;
  }
  const seal = (owner = subjectOwner(newId<SubjectId>())): Promise<Sealed> =>
    house.api.withSealing(
      [{ owner, category: 'contact', partition: '', stream: `customer-${owner.id}` }],
      async ({ keys, seal: sealBlock }) => ({
        owner,
        scopeId: keys[0]!.scopeId,
        block: sealBlock(keys[0]!, new TextEncoder().encode('Kari'), AD),
      }),
    );
  const read = async ({ scopeId, block }: Sealed) => {
    await house.projector.ready(5_000);
    const found = (await house.projector.openingKeys([scopeId])).get(scopeId)!;
    return found.state === 'live' ? Buffer.from(house.projector.open(found.key, block, AD)).toString() : found.state;
  };
  const shred = async ({ owner, scopeId }: Sealed) => {
    const orderId = randomUUID();
    await house.shredder.fence({ orderId, owner, kind: 'expiry', except: [] });
    await house.shredder.shred({ orderId, owner, scopeIds: [scopeId], kind: 'expiry' });
    await house.shredder.release(owner, orderId);
  };
  const worker = () => house.operationsOf('worker');
  const mirrorAt = async (place: string) => (await house.operations.mirrors()).find(({ name }) => name === place)!;
  const rootsAt = async (place: string) => (await readdir(place)).filter((name) => name.startsWith('root-')).sort();
  const away = (place: string) => rename(place, `${place}.away`);
  const back = (place: string) => rename(`${place}.away`, place);

  it.each(['while it runs', 'before it starts'])('loses nothing with a mirror that is lost %s', async (when) => {
    const [kari, ola] = [await seal(), await seal()];
    if (when === 'before it starts') await house.stop();
    await rm(b, { recursive: true });
    if (when === 'before it starts') await house.start({ custodian: [a] });
    await shred(ola);
    expect([await read(kari), await read(ola)]).toEqual(['Kari', 'shredded']);
    expect(await read(await seal())).toBe('Kari');
    expect(await mirrorAt(b)).toMatchObject({
      standing: 'away',
      reason: 'missing',
      message: expect.stringContaining(b),
    });
    await expect(readdir(b)).rejects.toMatchObject({ code: 'ENOENT' });
    await house.stop();
    expect((await house.start()).gate).toMatchObject({ state: 'consistent' });
    expect([await read(kari), await read(ola)]).toEqual(['Kari', 'shredded']);
  });

  it('takes back a mirror that missed a seal: it gets state, root and wrap, and is enough by itself', async () => {
    const [kari, ola] = [await seal(), await seal()];
    await away(b);
    await shred(ola);
    expect(await house.operations.sealEpoch()).toMatchObject({ epoch: 2, sealed: true });
    expect(await worker().destroyRoots()).toEqual({ destroyed: [], outstanding: [{ epoch: 1, mirrors: [b] }] });
    expect([await rootsAt(a), await rootsAt(`${b}.away`)]).toEqual([['root-2.key'], ['root-1.key']]);
    await back(b);
    // What it still held is gone before the attestation is closed.
    expect(await worker().destroyRoots()).toEqual({ destroyed: [1], outstanding: [] });
    expect(await rootsAt(b)).toEqual(['root-2.key']);
    // Who came back while the vault was looking elsewhere counts from its next look on.
    const there = await eventually(
      () => mirrorAt(b),
      ({ standing }) => standing === 'present',
    );
    expect(there.roots).toEqual([2]);
    await house.stop();
    await away(a);
    await house.start();
    expect([await read(kari), await read(ola)]).toEqual(['Kari', 'shredded']);
  });

  it.each(['under a running vault', 'before a start'])(
    'rolls an old copy of a mirror forward that was put back %s',
    async (when) => {
      const [kari, ola] = [await seal(), await seal()];
      await cp(b, `${b}.old`, { recursive: true });
      await shred(ola);
      await house.operations.sealEpoch();
      expect(await worker().destroyRoots()).toEqual({ destroyed: [1], outstanding: [] });
      if (when === 'before a start') await house.stop();
      await rm(b, { recursive: true });
      await rename(`${b}.old`, b);
      if (when === 'before a start') await house.start();
      expect(await worker().destroyRoots()).toEqual({ destroyed: [], outstanding: [] });
      expect(await rootsAt(b)).toEqual(['root-2.key']);
      await eventually(
        () => mirrorAt(b),
        ({ standing }) => standing === 'present',
      );
      await house.stop();
      await away(a);
      await house.start();
      expect([await read(kari), await read(ola)]).toEqual(['Kari', 'shredded']);
    },
  );

  it('refuses to serve from the older of two mirrors, when the newer one is lost', async () => {
    const [kari, ola] = [await seal(), await seal()];
    await cp(b, `${b}.old`, { recursive: true });
    await shred(ola);
    await house.stop();
    await rm(b, { recursive: true });
    await rename(`${b}.old`, b);
    await away(a);
    expect((await house.start()).gate).toMatchObject({ state: 'behind' });
    await expect(read(kari)).rejects.toMatchObject({ code: 'vault-unavailable' });
    await house.stop();
    await back(a);
    await house.start();
    expect([await read(kari), await read(ola)]).toEqual(['Kari', 'shredded']);
  });

  it('serves nothing on a fork until it is repaired, and then everybody is gone whom either side had forgotten', async () => {
    const [kari, ola, per] = [await seal(), await seal(), await seal()];
    await house.stop();
    await mkdir(join(house.directory, 'common'));
    for (const mirror of [a, b]) await cp(mirror, `${mirror}.common`, { recursive: true });
    await house.start();
    await shred(ola);
    await house.stop();
    await away(a);
    await rename(`${a}.common`, a);
    await rm(b, { recursive: true });
    await rename(`${b}.common`, b);
    // As after a restore of everything else.
    await house.sql('update vault set custodian_number = 0');
    await house.start();
    await shred(per);
    await house.stop();
    await rm(a, { recursive: true });
    await back(a);
    expect((await house.start()).gate).toMatchObject({ state: 'forked', wayOut: expect.stringContaining('repair') });
    const { id } = (await house.operations.mirrors()).find(({ reason }) => reason === 'fork')!;
    await house.operations.repairMirror(id!);
    expect([await read(kari), await read(ola), await read(per)]).toEqual(['Kari', 'shredded', 'shredded']);
    for (const mirror of [a, b]) expect(await mirrorAt(mirror)).toMatchObject({ standing: 'present' });
  });

  it('finds a mirror that was added again at the next start, and waits no more for one that was retired', async () => {
    const [kari, ola] = [await seal(), await seal()];
    const third = join(house.directory, 'third');
    const id = await house.operations.addMirror(third);
    expect(await house.operations.addMirror(third)).toBe(id);
    expect(await mirrorAt(third)).toMatchObject({ id, standing: 'present', roots: [1] });
    const retired = (await mirrorAt(b)).id!;
    await away(b);
    await shred(ola);
    await house.operations.sealEpoch();
    expect((await worker().destroyRoots()).outstanding).toEqual([{ epoch: 1, mirrors: [b] }]);
    await house.operations.retireMirror(retired);
    await house.operations.retireMirror(retired);
    expect(await worker().destroyRoots()).toEqual({ destroyed: [1], outstanding: [] });
    await house.stop();
    await away(a);
    await house.start();
    expect([await read(kari), await read(ola)]).toEqual(['Kari', 'shredded']);
    await expect(house.operations.retireMirror(id)).rejects.toMatchObject({ code: 'mirror-last' });
    // What was retired while it was away loses its roots when it is seen again.
    await back(b);
    expect(await worker().destroyRoots()).toEqual({ destroyed: [], outstanding: [] });
    expect(await rootsAt(b)).toEqual([]);
    for (const place of ['relative', join(house.options.home!, 'mirror'), b])
      await expect(house.operations.addMirror(place)).rejects.toMatchObject({ code: 'mirror-unfit' });
  });
});
