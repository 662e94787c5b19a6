import { randomUUID } from 'node:crypto';
import type { CompanyId, OwnerRef, ScopeId, SubjectId } from '#kernel';
import { companyOwner, newId, subjectOwner } from '#kernel';
import type { ScopeKey, ScopeRequest } from '#vault';
import { startVaultHouse } from '../../../test/faults/vault-house.js';
import type { VaultHouse } from '../../../test/faults/vault-house.js';

const person = (): OwnerRef => subjectOwner(newId<SubjectId>());
const request = (owner: OwnerRef, over: Partial<ScopeRequest> = {}): ScopeRequest => ({
  owner,
  category: 'contact',
  partition: '',
  stream: `customer-${owner.id}`,
  ...over,
});
const bytes = (text: string) => new TextEncoder().encode(text);
const AD = bytes('event-1');
const order = (owner: OwnerRef, scopeIds: ScopeId[], kind: 'erasure' | 'expiry' = 'erasure') => ({
  orderId: randomUUID(),
  owner,
  scopeIds,
  kind,
});

describe('the vault over mutual TLS', () => {
  let house: VaultHouse;
  beforeAll(async () => {
    house = await startVaultHouse();
  });
  afterAll(() => house.end());

  const seal = (requests: ScopeRequest[], text = 'Kari') =>
    house.api.withSealing(requests, async (session) =>
      session.keys.map((key) => ({ key, block: session.seal(key, bytes(text), AD) })),
    );
  const readBy = async (vault: VaultHouse['api'], scopeId: ScopeId, block: Uint8Array) => {
    const found = (await vault.openingKeys([scopeId])).get(scopeId)!;
    return found.state === 'live' ? Buffer.from(vault.open(found.key, block, AD)).toString() : found.state;
  };

  type Order = ReturnType<typeof order>;
  const fence = (given: Order, except: { category: string; partition: string }[] = []) =>
    house.shredder.fence({ ...given, except });
  const shred = async (given: Order) => {
    await fence(given);
    const receipt = await house.shredder.shred(given);
    await house.shredder.release(given.owner, given.orderId);
    return receipt;
  };

  it('opens in one process what another sealed', async () => {
    const [sealed] = await seal([request(person())]);
    expect(await readBy(house.projector, sealed!.key.scopeId, sealed!.block)).toBe('Kari');
  });

  it('opens blocks once, in their order, and keeps none of their keys', async () => {
    const [kari, ola] = [person(), person()];
    const [[hers], [his, other]] = [
      await seal([request(kari)]),
      await seal([request(ola), request(ola, { category: 'profile' })]),
    ];
    await shred(order(ola, [his!.key.scopeId]));
    const vault = house.vaultOf('api');
    await vault.ready(5_000);
    const read = async (...sealed: { key: ScopeKey; block: Uint8Array }[]) =>
      (await vault.openOnce(sealed.map(({ key: { scopeId }, block }) => ({ scopeId, block, associatedData: AD })))).map(
        (opened) => (typeof opened === 'string' ? opened : Buffer.from(opened).toString()),
      );
    expect(await read(hers!, his!, other!, hers!)).toEqual(['Kari', 'shredded', 'Kari', 'Kari']);
    expect(vault.cached.keys).toBe(0);
    expect(await read()).toEqual([]);
    expect(await readBy(vault, other!.key.scopeId, other!.block)).toBe('Kari');
    expect(await read(hers!, other!)).toEqual(['Kari', 'Kari']);
    expect(vault.cached.keys).toBe(1);
    const moved = { scopeId: hers!.key.scopeId, block: hers!.block, associatedData: bytes('another event') };
    await expect(vault.openOnce([moved])).rejects.toMatchObject({ code: 'block-tampered' });
  });

  it('gives one key to everybody who asks for a scope at once', async () => {
    const owner = person();
    const all = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        (index % 2 ? house.api : house.worker).withSealing([request(owner), request(owner)], async ({ keys }) => keys),
      ),
    );
    expect(new Set(all.flat().map(({ scopeId }) => scopeId)).size).toBe(1);
  });

  it('refuses an owner who is none, and nobody else whose request went in the same call', async () => {
    const nobody = { kind: 'subject', id: 'nobody' } as unknown as OwnerRef;
    const outcomes = await Promise.allSettled([person(), nobody, person()].map((owner) => seal([request(owner)])));
    expect(outcomes).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'invalid-input' } },
      { status: 'fulfilled' },
    ]);
  });

  it('gives no two sessions the same count of keys, whoever asks at once', async () => {
    const counts = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        (index % 2 ? house.api : house.worker).withSealing(
          [request(person())],
          async ({ mintSequence }) => mintSequence,
        ),
      ),
    );
    expect(new Set(counts).size).toBe(40);
    const known = request(person());
    await seal([known]);
    expect(await house.api.withSealing([known], async ({ mintSequence }) => mintSequence)).toBeUndefined();
  });

  it('reads as shredded everywhere once a shred order has its receipt', async () => {
    const owner = person();
    const [a, b] = await seal([request(owner), request(owner, { category: 'profile' })]);
    expect(await readBy(house.projector, a!.key.scopeId, a!.block)).toBe('Kari');
    const given = order(owner, [a!.key.scopeId]);
    await expect(house.shredder.shred(given)).rejects.toMatchObject({ code: 'not-fenced' });
    await fence(given);
    const receipt = await house.shredder.shred(given);
    expect(receipt.destroyed).toEqual([{ category: 'contact', fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    for (const vault of [house.api, house.projector, house.worker]) {
      expect(await readBy(vault, a!.key.scopeId, a!.block)).toBe('shredded');
      expect(() => vault.assertCurrent([a!.key.scopeId])).toThrow(
        expect.objectContaining({ code: 'vault-unavailable' }),
      );
      expect(await readBy(vault, b!.key.scopeId, b!.block)).toBe('Kari');
    }
    expect(() => house.api.open(a!.key, a!.block, AD)).toThrow(expect.objectContaining({ code: 'vault-unavailable' }));
    expect(await house.shredder.shred(given)).toEqual(receipt);
    expect(await house.shredder.receiptOf(given.orderId)).toEqual(receipt);
    expect(await house.shredder.receiptOf(randomUUID())).toBeUndefined();
  });

  it('never makes an expired scope again, and does not open the person', async () => {
    const owner = person();
    const [sealed] = await seal([request(owner, { category: 'purchase', partition: 'p1' })]);
    await shred(order(owner, [sealed!.key.scopeId], 'expiry'));
    await expect(seal([request(owner, { category: 'purchase', partition: 'p1' })])).rejects.toMatchObject({
      code: 'scope-shredded',
    });
    expect(await house.shredder.scopesOf(owner)).toEqual([
      {
        scopeId: sealed!.key.scopeId,
        category: 'purchase',
        partition: 'p1',
        stream: `customer-${owner.id}`,
        state: 'shredded',
      },
    ]);
    expect(await seal([request(owner, { category: 'purchase', partition: 'p2' })])).toHaveLength(1);
  });

  it('keeps a scope in its stream', async () => {
    const owner = person();
    await seal([request(owner)]);
    await expect(seal([request(owner, { stream: 'purchase-1' })])).rejects.toMatchObject({
      code: 'scope-stream-mismatch',
    });
  });

  it('mints all keys of a writer or none', async () => {
    const [open, closed] = [person(), person()];
    await fence(order(closed, []));
    await expect(seal([request(open), request(closed)])).rejects.toMatchObject({ code: 'subject-closed' });
    expect(await house.shredder.scopesOf(open)).toEqual([]);
  });

  it('fences an owner but for the exceptions, releases it, and never once something was erased', async () => {
    const owner = person();
    const kept = request(owner, { category: 'service', partition: 'case-1' });
    const except = [{ category: 'service', partition: 'case-1' }];
    const [contact] = await seal([request(owner)]);
    const first = order(owner, [contact!.key.scopeId]);
    await fence(first, except);
    await expect(seal([request(owner)])).rejects.toMatchObject({ code: 'subject-closed' });
    const [service] = await seal([kept]);
    await house.shredder.release(owner, first.orderId);
    await seal([request(owner)]);

    await fence(first, except);
    await house.shredder.shred(first);
    await house.shredder.release(owner, first.orderId);
    await fence(first, [...except, { category: 'contact', partition: '' }]);
    await expect(seal([request(owner)])).rejects.toMatchObject({ code: 'subject-closed' });
    expect(await seal([kept])).toHaveLength(1);
    await expect(house.shredder.closeForEver(owner, first.orderId)).rejects.toMatchObject({
      code: 'erasure-not-finished',
    });
    const last = order(owner, [service!.key.scopeId]);
    await fence(last);
    await expect(seal([kept])).rejects.toMatchObject({ code: 'subject-closed' });
    await house.shredder.release(owner, last.orderId);
    expect(await seal([kept])).toHaveLength(1);
    await shred(last);
    await expect(seal([kept])).rejects.toMatchObject({ code: 'subject-closed' });
  });

  it('seals again under a key that it holds without asking the vault, and not once a fence is up', async () => {
    const owner = person();
    await seal([request(owner)]);
    await house.stop();
    expect(await seal([request(owner)])).toHaveLength(1);
    await house.start();
    await house.api.ready(5_000);
    await seal([request(owner)]);
    let refusedAt = 0;
    const [fencing, writing] = [
      fence(order(owner, [])).then(() => performance.now()),
      (async () => {
        for (;;) {
          const begun = performance.now();
          try {
            await seal([request(owner)]);
          } catch {
            refusedAt = begun;
            return;
          }
          await new Promise((resolve) => setImmediate(resolve));
        }
      })(),
    ];
    const fencedAt = await fencing;
    await expect(seal([request(owner)])).rejects.toMatchObject({ code: 'subject-closed' });
    await writing;
    expect(refusedAt).toBeLessThan(fencedAt);
  });

  it('shreds only for the order that the fence is up for, and takes down nobody else’s fence', async () => {
    const owner = person();
    const [sealed] = await seal([request(owner)]);
    const [expiry, erasure] = [order(owner, [sealed!.key.scopeId], 'expiry'), order(owner, [sealed!.key.scopeId])];
    await expect(house.shredder.shred(expiry)).rejects.toMatchObject({ code: 'not-fenced' });
    await fence(expiry);
    await fence(erasure);
    for (const late of [expiry, order(owner, [sealed!.key.scopeId])])
      await expect(house.shredder.shred(late)).rejects.toMatchObject({ code: 'not-fenced' });
    await expect(fence(expiry)).rejects.toMatchObject({ code: 'erasure-in-progress' });
    await house.shredder.release(owner, expiry.orderId);
    await expect(seal([request(owner)])).rejects.toMatchObject({ code: 'subject-closed' });
    await house.shredder.release(owner, erasure.orderId);
    await expect(house.shredder.shred(erasure)).rejects.toMatchObject({ code: 'not-fenced' });
    expect(await readBy(house.projector, sealed!.key.scopeId, sealed!.block)).toBe('Kari');
  });

  it('remembers an order that found nothing: late scopes of it are not destroyed, and it fences nobody any more', async () => {
    const owner = person();
    const [sealed] = await seal([request(owner)]);
    const late = order(owner, [sealed!.key.scopeId], 'expiry');
    expect((await shred({ ...late, scopeIds: [] })).destroyed).toEqual([]);
    await fence(late);
    expect((await house.shredder.shred(late)).destroyed).toEqual([]);
    await seal([request(owner)]);
    expect(await readBy(house.projector, sealed!.key.scopeId, sealed!.block)).toBe('Kari');
  });

  it('leaves of a closed person one row that is joined to nothing', async () => {
    const owner = person();
    const [expired, erased] = await seal([request(owner, { category: 'purchase', partition: 'p1' }), request(owner)]);
    await shred(order(owner, [expired!.key.scopeId], 'expiry'));
    const erasure = order(owner, [erased!.key.scopeId]);
    await shred(erasure);
    await house.shredder.closeForEver(owner, erasure.orderId);
    await house.shredder.closeForEver(owner, erasure.orderId);
    await fence(order(owner, []));
    expect(await house.shredder.scopesOf(owner)).toEqual([]);
    await expect(seal([request(owner)])).rejects.toMatchObject({ code: 'subject-closed' });
    await house.shredder.release(owner, erasure.orderId);
    await expect(seal([request(owner)])).rejects.toMatchObject({ code: 'subject-closed' });
    const rows = await house.sql(
      `select state, fence_order, except_bucket, except_sealed from owner where owner_id = $1`,
      [owner.id],
    );
    expect(rows).toEqual([{ state: 'closed', fence_order: null, except_bucket: null, except_sealed: null }]);
    expect(await house.sql('select * from owner_bucket where owner_id = $1', [owner.id])).toEqual([]);
    expect(
      await house.sql('select state, identity, sealed from scope where scope_id = any($1)', [
        [expired!.key.scopeId, erased!.key.scopeId],
      ]),
    ).toEqual(Array(2).fill({ state: 'erased', identity: null, sealed: null }));
  });

  it('marks the bucket of a shredded key dirty, and no other', async () => {
    const owner = person();
    const [sealed] = await seal([request(owner)]);
    const dirty = () =>
      house.sql('select dirty from bucket join scope using (bucket_id) where scope_id = $1', [sealed!.key.scopeId]);
    await house.sql('update bucket set dirty = false');
    expect(await dirty()).toEqual([{ dirty: false }]);
    await shred(order(owner, [sealed!.key.scopeId], 'expiry'));
    expect(await dirty()).toEqual([{ dirty: true }]);
  });

  it('closes a bucket at 1,000 scopes and gives its owner another', async () => {
    const owner = companyOwner(newId<CompanyId>());
    const some = (from: number) =>
      Array.from({ length: 500 }, (_, index) => request(owner, { category: 'billing', partition: `v${from + index}` }));
    for (const from of [0, 500, 1_000]) await house.api.withSealing(some(from), async () => undefined);
    const counts = await house.sql(
      `select b.scopes, (select count(*)::int from scope where scope.bucket_id = b.bucket_id) as rows from bucket b
       join owner_bucket using (bucket_id) where owner_id = $1`,
      [owner.id],
    );
    expect(counts.length).toBeGreaterThan(1);
    // Tombstones count too, and those of erased persons do not say any more that they were here.
    for (const { scopes, rows } of counts) expect(scopes).toBeGreaterThanOrEqual(rows as number);
    expect(Math.max(...counts.map(({ scopes }) => scopes as number))).toBe(1_000);
    const first = await house.api.withSealing(some(0), async ({ keys }) => keys.map((key: ScopeKey) => key.scopeId));
    expect(new Set(first).size).toBe(500);
    expect(await house.shredder.scopesOf(owner)).toHaveLength(1_500);
  });

  it('says scope-unknown of a missing key row and key-damaged of a changed one, and mends neither', async () => {
    const owner = person();
    const [a, b] = await seal([request(owner), request(owner, { category: 'profile' })]);
    await house.sql('delete from scope where scope_id = $1', [a!.key.scopeId]);
    await house.sql(`update scope set sealed = set_byte(sealed, 60, get_byte(sealed, 60) # 1) where scope_id = $1`, [
      b!.key.scopeId,
    ]);
    await expect(house.projector.openingKeys([a!.key.scopeId])).rejects.toMatchObject({ code: 'scope-unknown' });
    await expect(house.projector.openingKeys([b!.key.scopeId])).rejects.toMatchObject({ code: 'key-damaged' });
    for (const { key, block } of [a!, b!])
      await expect(
        house.projector.openOnce([{ scopeId: key.scopeId, block, associatedData: AD }]),
      ).rejects.toMatchObject({ code: key === a!.key ? 'scope-unknown' : 'key-damaged' });
    await house.sql(`update scope set state = 'expired' where scope_id = $1`, [b!.key.scopeId]);
    await expect(house.projector.openingKeys([b!.key.scopeId])).rejects.toMatchObject({ code: 'key-damaged' });
    await expect(shred(order(owner, [a!.key.scopeId], 'expiry'))).rejects.toMatchObject({
      code: 'scope-unknown',
    });
    expect(await house.sql('select 1 from scope where scope_id = $1', [a!.key.scopeId])).toEqual([]);
  });

  it('refuses to shred what is another owner’s', async () => {
    const [mine, other] = [person(), person()];
    const [sealed] = await seal([request(mine)]);
    await expect(shred(order(other, [sealed!.key.scopeId], 'expiry'))).rejects.toMatchObject({
      code: 'scope-unknown',
    });
    expect(await readBy(house.projector, sealed!.key.scopeId, sealed!.block)).toBe('Kari');
  });

  it('opens nothing that was moved or changed', async () => {
    const [sealed] = await seal([request(person())]);
    const { key, block } = sealed!;
    expect(() => house.api.open(key, block, bytes('event-2'))).toThrow(
      expect.objectContaining({ code: 'block-tampered' }),
    );
    block[30]! ^= 1;
    expect(() => house.api.open(key, block, AD)).toThrow(expect.objectContaining({ code: 'block-tampered' }));
  });

  it('lets only the worker destroy keys, and nobody in without a certificate of this installation', async () => {
    const owner = person();
    const [sealed] = await seal([request(owner)]);
    await expect(house.shredderOf('api').shred(order(owner, [sealed!.key.scopeId]))).rejects.toMatchObject({
      code: 'vault-unavailable',
    });
    await expect(house.shredderOf('api').fence({ ...order(owner, []), except: [] })).rejects.toMatchObject({
      code: 'vault-unavailable',
    });
    await expect(house.shredderOf('api').release(owner, randomUUID())).rejects.toMatchObject({
      code: 'vault-unavailable',
    });
    await expect(house.shredderOf('projector').scopesOf(owner)).rejects.toMatchObject({ code: 'vault-unavailable' });
    await expect(house.vaultOf('cli').ready(300)).rejects.toMatchObject({ code: 'vault-unavailable' });
    await expect(house.stranger().ready(300)).rejects.toMatchObject({ code: 'vault-unavailable' });
    expect(await readBy(house.projector, sealed!.key.scopeId, sealed!.block)).toBe('Kari');
  });

  it('tells the state of the vault', async () => {
    const status = await house.status();
    expect(status).toMatchObject({ gate: 'consistent', epoch: 1, sharedDevice: true });
    expect(status.mirrors.map(({ ok }) => ok)).toEqual([true, true]);
    expect(status.mintSequence).toBeGreaterThanOrEqual(status.live);
  });
});
