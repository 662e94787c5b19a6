import { randomUUID } from 'node:crypto';
import { rename } from 'node:fs/promises';
import type { ScopeId, SubjectId } from '#kernel';
import { newId, subjectOwner } from '#kernel';
import type { SoftToken } from '../conformance/custodian/softhsm.js';
import { hasSoftHsm, startSoftToken } from '../conformance/custodian/softhsm.js';
import type { VaultHouse } from './vault-house.js';
import { startVaultHouse } from './vault-house.js';

const AD = new TextEncoder().encode('event');

/** P2, P5: one mirror in files, one on a token. */
(hasSoftHsm ? describe : describe.skip)('a vault with a mirror on a token (skipped without Debian: softhsm2)', () => {
  let token: SoftToken;
  let house: VaultHouse;
  beforeAll(async () => {
    token = await startSoftToken();
    house = await startVaultHouse();
  });
  afterAll(async () => {
    await house.end();
    await token.end();
  });

  const seal = async () => {
    const owner = subjectOwner(newId<SubjectId>());
    return house.api.withSealing(
      [{ owner, category: 'contact', partition: '', stream: `customer-${owner.id}` }],
      async ({ keys, seal: sealBlock }) => ({
        owner,
        scopeId: keys[0]!.scopeId,
        block: sealBlock(keys[0]!, new TextEncoder().encode('Kari'), AD),
      }),
    );
  };
  const read = async ({ scopeId, block }: { scopeId: ScopeId; block: Uint8Array }) => {
    await house.projector.ready(5_000);
    const found = (await house.projector.openingKeys([scopeId])).get(scopeId)!;
    return found.state === 'live' ? Buffer.from(house.projector.open(found.key, block, AD)).toString() : found.state;
  };

  it('takes it in, seals, destroys roots on both, and starts from either alone', async () => {
    const [kari, ola] = [await seal(), await seal()];
    const id = await house.operations.addMirror(token.uri('makuler'));
    const [a, b] = [house.mirrors[0]!, house.mirrors[1]!];
    const named = (await house.operations.mirrors()).find(({ name }) => name === b)!;
    await house.operations.retireMirror(named.id!);

    const orderId = randomUUID();
    await house.shredder.fence({ orderId, owner: ola.owner, kind: 'expiry', except: [] });
    await house.shredder.shred({ orderId, owner: ola.owner, scopeIds: [ola.scopeId], kind: 'expiry' });
    await house.shredder.release(ola.owner, orderId);
    expect(await house.operations.sealEpoch()).toMatchObject({ epoch: 2, sealed: true });
    const roots = async () => {
      const mirrors = await house.operations.mirrors();
      return [a, id].map((one) => mirrors.find(({ name, id: known }) => name === one || known === one)!.roots);
    };
    expect(await roots()).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(await house.operationsOf('worker').destroyRoots()).toEqual({ destroyed: [1], outstanding: [] });
    expect(await roots()).toEqual([[2], [2]]);

    for (const away of [b, a]) {
      await house.stop();
      await rename(away, `${away}.away`);
      await house.start({ custodian: [a] });
      expect([await read(kari), await read(ola)]).toEqual(['Kari', 'shredded']);
    }
    expect(await house.operations.mirrors()).toContainEqual(
      expect.objectContaining({ id, standing: 'present', name: 'token makuler test (makuler)' }),
    );
  });
});
