import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { OwnerRef, ScopeId, SubjectId } from '#kernel';
import { newId, subjectOwner } from '#kernel';
import { testDatabase } from '#testing';
import { CustodianMirrors, FileCustodian } from '#vault/keeper';
import { startVault } from '../../apps/vault/src/server.js';
import type { VaultHouse } from './vault-house.js';
import { startVaultHouse } from './vault-house.js';

const AD = new TextEncoder().encode('event');
const person = (): OwnerRef => subjectOwner(newId<SubjectId>());

/** P3, P5: what a start finds half done is finished, and what does not fit together is refused, never read as erased. */
describe('a vault that starts again', () => {
  let house: VaultHouse;
  beforeEach(async () => {
    house = await startVaultHouse();
  });
  afterEach(() => house.end());

  const seal = (owner: OwnerRef, partition = '') =>
    house.api.withSealing(
      [{ owner, category: 'contact', partition, stream: `customer-${owner.id}` }],
      async ({ keys, seal }) => ({
        scopeId: keys[0]!.scopeId,
        block: seal(keys[0]!, new TextEncoder().encode('Kari'), AD),
      }),
    );
  const read = async (scopeId: ScopeId, block: Uint8Array) => {
    await house.projector.ready(5_000);
    const found = (await house.projector.openingKeys([scopeId])).get(scopeId)!;
    return found.state === 'live' ? Buffer.from(house.projector.open(found.key, block, AD)).toString() : found.state;
  };
  const shred = async (owner: OwnerRef, scopeIds: ScopeId[], kind: 'erasure' | 'expiry') => {
    const orderId = randomUUID();
    await house.shredder.fence({ orderId, owner, kind, except: [] });
    const receipt = await house.shredder.shred({ orderId, owner, scopeIds, kind });
    await house.shredder.release(owner, orderId);
    return receipt;
  };
  /** Journals an order and stops before its tombstones: where a crash hurts most. */
  const journalOnly = async (entries: { scopeId: ScopeId; kind: 'erased' | 'expired' }[], orderId = randomUUID()) => {
    const custodian = new CustodianMirrors(house.mirrors.map((directory) => new FileCustodian(directory)));
    await custodian.load();
    await custodian.change(({ pending }) => ({
      pending: [...pending, { orderId, entries: entries.map((entry) => ({ ...entry, epoch: 1 })) }],
    }));
    return orderId;
  };

  const mirrorsByName = async () => [...(await house.operations.mirrors())].sort((a, b) => (a.name < b.name ? -1 : 1));

  it('opens what it sealed before', async () => {
    const { scopeId, block } = await seal(person());
    await house.stop();
    expect((await house.start()).gate).toEqual({ state: 'consistent' });
    expect(await read(scopeId, block)).toBe('Kari');
  });

  it('finishes an order that a crash cut off between journal and tombstone, before it serves anything', async () => {
    const [owner, other] = [person(), person()];
    const [a, b] = [await seal(owner), await seal(other)];
    const orderId = randomUUID();
    const except = [{ category: 'contact', partition: '' }];
    await house.shredder.fence({ orderId, owner, kind: 'erasure', except });
    await house.stop();
    await journalOnly([{ scopeId: a.scopeId, kind: 'erased' }], orderId);
    expect((await house.start()).gate).toEqual({ state: 'reconciled', applied: 1 });
    expect(await read(a.scopeId, a.block)).toBe('shredded');
    expect(await read(b.scopeId, b.block)).toBe('Kari');
    expect(
      await house.sql('select dirty from bucket join owner_bucket using (bucket_id) where owner_id = $1', [owner.id]),
    ).toEqual([{ dirty: true }]);
    const receipt = await house.shredder.receiptOf(orderId);
    expect(receipt).toMatchObject({ orderId, destroyed: [{ category: 'contact' }] });
    expect(await house.shredder.shred({ orderId, owner, scopeIds: [a.scopeId], kind: 'erasure' })).toEqual(receipt);
    // The fence named this very scope as an exception: what is shredded is never minted again all the same.
    await expect(seal(owner)).rejects.toMatchObject({ code: 'subject-closed' });
    await house.shredder.release(owner, orderId);
    await expect(seal(owner)).rejects.toMatchObject({ code: 'subject-closed' });
    await house.stop();
    expect((await house.start()).gate).toEqual({ state: 'consistent' });
  });

  it('carries an order forward that only one mirror had got', async () => {
    const { scopeId, block } = await seal(person());
    await house.stop();
    const before = join(house.directory, 'before');
    await cp(house.mirrors[1]!, before, { recursive: true });
    await journalOnly([{ scopeId, kind: 'expired' }]);
    await rm(house.mirrors[1]!, { recursive: true });
    await rename(before, house.mirrors[1]!);
    expect((await house.start()).gate).toEqual({ state: 'reconciled', applied: 1 });
    expect(await read(scopeId, block)).toBe('shredded');
  });

  it('applies the journal to a database from before the shred, or from before the key, and closes who was closed', async () => {
    const owner = person();
    const [expired, erased] = [await seal(owner, 'p1'), await seal(owner)];
    const rows = await house.sql('select * from scope where scope_id = any($1)', [[expired.scopeId, erased.scopeId]]);
    const buckets = await house.sql('select * from owner_bucket where owner_id = $1', [owner.id]);
    await shred(owner, [expired.scopeId], 'expiry');
    await shred(owner, [erased.scopeId], 'erasure');
    await house.shredder.closeForEver(owner, randomUUID());
    await house.stop();
    // As an old backup of these tables would have it.
    await house.sql('delete from scope where scope_id = $1', [erased.scopeId]);
    await house.sql(`update scope set state = 'live', identity = $2, sealed = $3, bucket_id = $4 where scope_id = $1`, [
      expired.scopeId,
      ...['identity', 'sealed', 'bucket_id'].map(
        (column) => rows.find(({ scope_id }) => scope_id === expired.scopeId)![column],
      ),
    ]);
    await house.sql(`update owner set state = 'open' where owner_id = $1`, [owner.id]);
    await house.sql('insert into owner_bucket values ($1, $2, $3)', Object.values(buckets[0]!));
    expect((await house.start()).gate).toEqual({ state: 'reconciled', applied: 3 });
    for (const { scopeId, block } of [expired, erased]) expect(await read(scopeId, block)).toBe('shredded');
    await expect(seal(owner)).rejects.toMatchObject({ code: 'subject-closed' });
    expect(await house.sql('select 1 from owner_bucket where owner_id = $1', [owner.id])).toEqual([]);
  });

  it('leaves in the journal nothing that tells which scopes belonged together', async () => {
    const owners = [person(), person()];
    const sealed = await Promise.all(
      owners.flatMap((owner) =>
        ['', 'p1', 'p2'].map(async (partition) => ({ owner, ...(await seal(owner, partition)) })),
      ),
    );
    for (const owner of owners)
      await shred(
        owner,
        sealed.filter((one) => one.owner === owner).map(({ scopeId }) => scopeId),
        'erasure',
      );
    await house.stop();
    for (const directory of house.mirrors) {
      const { pending, shredded } = JSON.parse(
        (await readFile(join(directory, 'custodian.state'), 'utf8')).split('\n')[1]!,
      ) as {
        pending: unknown[];
        shredded: [string, string, number][];
      };
      expect(pending).toEqual([]);
      expect(shredded).toEqual(
        sealed.map(({ scopeId }) => [scopeId, 'erased', 1]).sort((a, b) => (a[0]! < b[0]! ? -1 : 1)),
      );
    }
    const rows = await house.sql('select * from scope where scope_id = any($1)', [
      sealed.map(({ scopeId }) => scopeId),
    ]);
    expect(new Set(rows.map(({ scope_id, ...rest }) => JSON.stringify(rest)))).toEqual(
      new Set([JSON.stringify({ bucket_id: null, state: 'erased', identity: null, sealed: null })]),
    );
  });

  it('refuses roots that are not the ones; with one of two it goes on, and says which is wrong until it is repaired', async () => {
    const { scopeId, block } = await seal(person());
    await house.stop();
    const elsewhere = new FileCustodian(join(house.directory, 'elsewhere'));
    await elsewhere.enrol();
    await elsewhere.createRoot(1);
    const roots = house.mirrors.map((mirror) => join(mirror, 'root-1.key'));
    for (const root of roots) {
      await rename(root, `${root}.right`);
      await cp(join(house.directory, 'elsewhere', 'root-1.key'), root);
    }
    await expect(house.start()).rejects.toMatchObject({ reason: 'wrong-root' });
    await rename(`${roots[0]!}.right`, roots[0]!);
    await house.start();
    expect(await read(scopeId, block)).toBe('Kari');
    const [right, wrong] = await mirrorsByName();
    expect([right, wrong]).toMatchObject([{ standing: 'present' }, { standing: 'away', reason: 'wrong-root' }]);
    await house.operations.repairMirror(wrong!.id!);
    expect(await mirrorsByName()).toMatchObject([{ standing: 'present' }, { standing: 'present' }]);
    await house.stop();
    // The mirror that was repaired is as good as the other: it is enough by itself.
    await rename(house.mirrors[0]!, `${house.mirrors[0]!}.away`);
    await house.start();
    expect(await read(scopeId, block)).toBe('Kari');
  });

  it('refuses a custodian that is gone, one of another installation, and an empty database', async () => {
    await seal(person());
    await house.stop();
    const other = await startVaultHouse();
    await other.stop();
    const custodian = dirname(house.mirrors[0]!);
    await rename(custodian, `${custodian}.away`);
    expect((await house.start()).gate).toMatchObject({ state: 'lost' });
    await house.stop();
    await expect(readdir(custodian)).rejects.toMatchObject({ code: 'ENOENT' });
    await rename(`${custodian}.away`, custodian);
    await expect(house.start({ custodian: other.mirrors })).rejects.toMatchObject({ reason: 'foreign' });
    const empty = await testDatabase();
    expect((await house.start({ databaseUrl: empty.url })).gate).toMatchObject({ state: 'database-empty' });
    await house.stop();
    await empty.drop();
    await other.end();
    expect((await house.start()).gate).toEqual({ state: 'consistent' });
  });

  it('refuses a custodian inside the home before it makes anything', async () => {
    const home = await mkdtemp(join(tmpdir(), 'makuler-home-'));
    await expect(startVault({ ...house.options, port: 0, home, custodian: [join(home, 'a')] })).rejects.toMatchObject({
      reason: 'custodian-exposed',
    });
    await house.stop();
    await expect(house.start({ home, custodian: [join(home, 'a')] })).rejects.toMatchObject({
      reason: 'custodian-exposed',
    });
    await rm(home, { recursive: true });
  });

  it('stands by while another vault is active on its database, and that one goes on', async () => {
    const { scopeId, block } = await seal(person());
    const standby = await startVault({ ...house.options, port: 0 });
    expect(standby.gate).toMatchObject({ state: 'standby' });
    expect(await read(scopeId, block)).toBe('Kari');
    expect(await seal(person())).toBeDefined();
    await standby.stop();
    expect(await seal(person())).toBeDefined();
  });

  it('writes under its own right only: when another has taken over, it reconciles anew first', async () => {
    await seal(person());
    await house.sql(`update vault set active = '00000000-0000-0000-0000-000000000000'`);
    await seal(person());
    expect(
      await house.sql('select 1 from vault where active <> $1', ['00000000-0000-0000-0000-000000000000']),
    ).toHaveLength(1);
  });

  it('closes its gate when the database under it becomes an earlier one', async () => {
    await house.api.ready(5_000);
    for (let n = 0; n < 3; n++) await seal(person());
    await house.sql('update vault set mint_sequence = 1');
    await expect(seal(person())).rejects.toMatchObject({ code: 'vault-unavailable' });
    while ((await house.status()).gate !== 'stepped-back') await new Promise((resolve) => setTimeout(resolve, 20));
    await expect(seal(person())).rejects.toMatchObject({ code: 'vault-unavailable' });
  });
});
