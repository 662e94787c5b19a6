import { randomUUID } from 'node:crypto';
import type { OwnerRef } from '#kernel';
import { newId, subjectOwner } from '#kernel';
import type { SubjectId } from '#kernel';
import { EpochMoved } from '../../libs/vault/src/keeper/epochs/epoch-moved.js';
import { KeeperHouse } from './keeper-house.js';

const somebody = (): OwnerRef => subjectOwner(newId<SubjectId>());
const request = (owner: OwnerRef, partition = '') => ({
  owner,
  category: 'contact',
  partition,
  stream: `customer-${owner.id}`,
});

/** P2, P5: keys for new owners are made without a look before. What is not as it was assumed is found out by the write. */
describe('minting for owners who are taken for new ones', () => {
  let house: KeeperHouse;
  beforeEach(async () => {
    house = await KeeperHouse.build();
  });
  afterEach(() => house.end());

  /** The vault's count of keys, and what there is. */
  const counts = async () =>
    (
      await house.sql<{ counted: number; scopes: number; in_buckets: number; owners: number; in_owners: number }>(
        `select (select mint_sequence from vault)::int as counted, (select count(*) from scope)::int as scopes,
                (select sum(scopes) from bucket)::int as in_buckets,
                (select count(*) from owner_bucket)::int as owners, (select sum(owners) from bucket)::int as in_owners`,
      )
    )[0]!;

  it('gives the key that there is to an owner whom a restarted vault does not remember', async () => {
    const [known, other] = [somebody(), somebody()];
    const before = await house.mint(known);
    await house.restart();
    await house.mint(other); // from now on it knows which bucket it fills
    expect(await house.mint(known)).toEqual(before);
    await house.mint(known, 'contact', 'another');
    expect(await counts()).toEqual({ counted: 3, scopes: 3, in_buckets: 3, owners: 2, in_owners: 2 });
  });

  it('meets the fence of an owner whom it does not remember, and serves those who were asked for together with them', async () => {
    const [fenced, free] = [somebody(), somebody()];
    await house.keeper.fence({ orderId: randomUUID(), owner: fenced, kind: 'erasure', except: [] });
    await house.restart();
    await house.mint(somebody());
    const { outcomes } = await house.keeper.mint([[request(fenced)], [request(free)]]);
    expect(outcomes).toMatchObject([{ refused: { code: 'subject-closed' } }, { made: 1, mintSequence: 2 }]);
  });

  it('seals under the key that a bucket has after its rotation', async () => {
    const [erased, staying] = [somebody(), somebody()];
    const { scopeId } = await house.mint(erased);
    const kept = await house.mint(staying);
    const passing = await house.mint(staying, 'service', 'case-1');
    await house.shred(erased, [scopeId]);
    await house.keeper.sealEpoch(true);
    const after = await house.mint(somebody());
    await house.shred(staying, [passing.scopeId], 'expiry');
    await house.keeper.sealEpoch(true);
    // Opened under the later key, which the vault holds from now on; the earlier one it has wiped.
    await house.read([kept.scopeId]);
    const afterReading = await house.mint(somebody());
    await house.restart();
    const read = await house.read([scopeId, kept.scopeId, after.scopeId, afterReading.scopeId]);
    expect([...read.values()]).toEqual(['erased', kept.key, after.key, afterReading.key]);
  });

  it('counts every key once, and every owner in one bucket, over many buckets and at the same time', async () => {
    const people = Array.from({ length: 100 }, somebody);
    await house.mint(people[0]!);
    const minted = await Promise.all(
      people.map((owner, n) =>
        house.keeper.mint([
          [request(owner), request(owner, `${n}`)],
          [request(owner, 'both'), request(owner, 'both')],
        ]),
      ),
    );
    const keys = minted.flatMap(({ outcomes }) => outcomes.flatMap((one) => ('keys' in one ? one.keys : [])));
    expect(keys).toHaveLength(400);
    expect(new Set(keys.map(({ scopeId }) => scopeId)).size).toBe(300);
    expect(await counts()).toEqual({ counted: 300, scopes: 300, in_buckets: 300, owners: 100, in_owners: 100 });
    const numbers = minted.flatMap(({ outcomes }) => outcomes.flatMap(({ mintSequence }) => mintSequence ?? []));
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(Math.max(...numbers)).toBe(300);
  });

  it('makes nothing in a bucket that was changed behind its back', async () => {
    await house.mint(somebody());
    await house.sql('update bucket set scopes = 1000');
    await house.mint(somebody());
    expect(await house.sql('select scopes, owners from bucket order by scopes')).toEqual([
      { scopes: 1, owners: 1 },
      { scopes: 1000, owners: 1 },
    ]);
  });

  it('makes nothing in a bucket that was being changed while it waited for it', async () => {
    await house.mint(somebody());
    const letGo = await house.lock('select pg_advisory_xact_lock(1)', []);
    const changed = house.sql('do $$ begin update bucket set scopes = 1000; perform pg_advisory_xact_lock(1); end $$');
    await waiting(1);
    const minted = house.mint(somebody());
    await waiting(2);
    await letGo();
    await Promise.all([changed, minted]);
    expect(await house.sql('select scopes, owners from bucket order by scopes')).toEqual([
      { scopes: 1, owners: 1 },
      { scopes: 1000, owners: 1 },
    ]);
  });

  it('leaves nothing behind, no owner either, when another epoch begins while it waits', async () => {
    await house.keeper.mint(Array.from({ length: 32 }, () => [request(somebody())])); // the bucket is full: the next one is made anew
    const before = [await counts(), await house.sql('select from owner')];
    const letGo = await house.lock('select pg_advisory_xact_lock(1)', []);
    const sealing = house.sql(
      'do $$ begin update vault set epoch = epoch + 1; perform pg_advisory_xact_lock(1); end $$',
    );
    await waiting(1);
    const minted = house.mint(somebody());
    await waiting(2);
    await letGo();
    await sealing;
    await expect(minted).rejects.toThrow(EpochMoved); // no seal has told the keyring of it
    expect([await counts(), await house.sql('select from owner')]).toEqual(before);
  });

  it('waits for a seal that is about to commit, for keys and for a fence with exceptions', async () => {
    await house.keeper.mint(Array.from({ length: 32 }, () => [request(somebody())])); // the bucket is full: the next one is made anew
    await house.sql(`create function wait_to_commit() returns trigger language plpgsql
      as 'begin perform pg_advisory_xact_lock(1); return null; end'`);
    await house.sql(`create constraint trigger held after update of epoch on vault deferrable initially deferred
      for each row execute function wait_to_commit()`);
    const letGo = await house.lock('select pg_advisory_xact_lock(1)', []);
    const sealing = house.keeper.sealEpoch(true);
    await waiting(1);
    const [owner, fenced] = [somebody(), somebody()];
    const minted = house.mint(owner);
    const except = [{ category: 'contact', partition: 'kept' }];
    const fencing = house.keeper.fence({ orderId: randomUUID(), owner: fenced, kind: 'erasure', except });
    await waiting(3);
    await letGo();
    await Promise.all([sealing, fencing]);
    expect(await house.mint(owner)).toEqual(await minted);
    expect(await house.sql('select from bucket where epoch <> (select epoch from vault)')).toEqual([]);
  });

  it('writes nothing into a database that is an earlier one', async () => {
    await house.keeper.mint([[request(somebody())], [request(somebody())]]);
    await house.sql('update vault set mint_sequence = 1');
    await expect(house.mint(somebody())).rejects.toMatchObject({ code: 'vault-unavailable' });
    expect(await counts()).toMatchObject({ counted: 1, scopes: 2, owners: 2 });
    expect(await house.sql('select from owner')).toHaveLength(2);
  });

  it('gives a group all of its keys or makes none, and serves the others', async () => {
    const [divided, other] = [somebody(), somebody()];
    const twoStreams = [request(divided, 'first'), request(divided), { ...request(divided), stream: 'case-1' }];
    const nothing = { counted: 0, scopes: 0, in_buckets: null, owners: 0, in_owners: null };
    const refused = { refused: { code: 'scope-stream-mismatch' } };
    expect((await house.keeper.mint([twoStreams])).outcomes).toMatchObject([refused]);
    expect(await counts()).toEqual(nothing);
    const { outcomes } = await house.keeper.mint([[request(other)], twoStreams, [request(divided)]]);
    expect(outcomes).toMatchObject([{ made: 1, mintSequence: 1 }, refused, { made: 1, mintSequence: 2 }]);
    expect(await counts()).toEqual({ counted: 2, scopes: 2, in_buckets: 2, owners: 2, in_owners: 2 });
  });

  it('looks before it writes, after a restart, as long as those whom it meets are known', async () => {
    const people = Array.from({ length: 20 }, somebody);
    for (const owner of people) await house.mint(owner);
    const rolledBack = async () => {
      await stopCounted();
      const [row] = await house.sql<{ n: string }>(
        'select xact_rollback as n from pg_stat_database where datname = current_database()',
      );
      await house.start();
      return Number(row!.n);
    };
    const before = await rolledBack();
    for (const owner of people) await house.mint(owner, 'service', 'case-1');
    expect((await rolledBack()) - before).toBeLessThan(3);
  });

  it('costs the same however many owners there are already, though they came after the plan was made', async () => {
    const owners = 200;
    for (let n = 0; n < owners; n++) await house.mint(somebody());
    await stopCounted();
    const read = async (table: string) =>
      Number(
        (
          await house.sql<{ rows: string }>(`select seq_tup_read as rows from pg_stat_user_tables where relname = $1`, [
            table,
          ])
        )[0]!.rows,
      );
    expect(await read('owner')).toBeLessThan(10 * owners);
    expect(await read('bucket')).toBeLessThan(owners);
    await house.start();
  });

  /** Resolves when the sessions are gone: their statistics are counted when they end. */
  const stopCounted = async () => {
    await house.stop();
    const sessions = `select from pg_stat_activity where application_name = 'keeper' and datname = current_database()`;
    while ((await house.sql(sessions)).length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  /** Resolves when so many sessions wait for a lock. */
  const waiting = async (sessions: number) => {
    const count = async () =>
      (await house.sql(`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`))
        .length;
    while ((await count()) < sessions) await new Promise((resolve) => setTimeout(resolve, 10));
  };
});
