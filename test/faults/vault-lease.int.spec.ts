import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { OwnerRef, ScopeId, SubjectId } from '#kernel';
import { MakulerError, newId, subjectOwner, SystemClock } from '#kernel';
import { createPool } from '#postgres';
import type { GrpcVault } from '#vault';
import { VaultConnection } from '../../libs/vault/src/client/connection.js';
import type { VaultHouse } from './vault-house.js';
import { startVaultHouse, TEST_LEASE_MS } from './vault-house.js';

const AD = new TextEncoder().encode('event');
const person = (): OwnerRef => subjectOwner(newId<SubjectId>());
const unavailable = expect.objectContaining({ code: 'vault-unavailable' });

/** A clock that jumps, as the monotonic clock of a process does that was stopped and woken up. */
class JumpingClock extends SystemClock {
  jumpedMs = 0;
  override monotonicMs(): number {
    return super.monotonicMs() + this.jumpedMs;
  }
}

/** P1: nobody answers with an erased value, whatever it had cached. P5: and nobody takes an outage for an erasure. */
describe('a lease', () => {
  let house: VaultHouse;
  beforeAll(async () => {
    house = await startVaultHouse();
  });
  afterAll(() => house.end());

  const request = (owner: OwnerRef, category = 'contact') => ({
    owner,
    category,
    partition: '',
    stream: `customer-${owner.id}`,
  });
  const seal = (owner: OwnerRef, category = 'contact', vault: GrpcVault = house.api) =>
    vault.withSealing([request(owner, category)], async ({ keys, seal }) => ({
      scopeId: keys[0]!.scopeId,
      block: seal(keys[0]!, new TextEncoder().encode('Kari'), AD),
    }));
  /** An append that the event store did not answer. */
  const lost = (vault: GrpcVault, owner: OwnerRef) =>
    vault.withSealing([request(owner)], () => Promise.reject(new MakulerError('store-unavailable')));
  const keyOf = async (vault: GrpcVault, scopeId: ScopeId) => {
    const found = (await vault.openingKeys([scopeId])).get(scopeId)!;
    if (found.state !== 'live') throw new Error(found.state);
    return found.key;
  };
  const fence = async (owner: OwnerRef) => {
    const orderId = randomUUID();
    await house.shredder.fence({ orderId, owner, kind: 'erasure', except: [] });
    return orderId;
  };
  const shred = async (owner: OwnerRef, scopeIds: ScopeId[]) => {
    const orderId = await fence(owner);
    return house.shredder.shred({ orderId, owner, scopeIds, kind: 'erasure' });
  };
  /** Waits for a condition of the other side, asking again and again. */
  const until = async (holds: () => Promise<boolean>) => {
    while (!(await holds().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, 20));
  };

  it('that has run out unnoticed opens, seals and vouches for nothing, before any timer has run', async () => {
    const clock = new JumpingClock();
    const vault = house.vaultOf('api', { clock });
    const owner = person();
    const { scopeId, block } = await seal(owner, 'contact', vault);
    const key = await keyOf(vault, scopeId);
    const dropped: unknown[] = [];
    vault.onDropped((scopes) => dropped.push(scopes));
    vault.open(key, block, AD);
    vault.assertCurrent([scopeId]);
    await vault.withSealing([request(owner)], async (session) => {
      expect(session.remainingMs()).toBeGreaterThan(0);
      clock.jumpedMs += TEST_LEASE_MS;
      expect(() => vault.open(key, block, AD)).toThrow(unavailable);
      expect(() => vault.assertCurrent([])).toThrow(unavailable);
      expect(session.remainingMs()).toBe(0);
      expect(() => session.seal(session.keys[0]!, new Uint8Array(), AD)).toThrow(unavailable);
      expect(dropped).toEqual(['all']);
    });
    // Back under a new lease, the old handle stays dead, and what was opened before is vouched for again.
    const again = await keyOf(vault, scopeId);
    expect(() => vault.open(key, block, AD)).toThrow(unavailable);
    expect(Buffer.from(vault.open(again, block, AD)).toString()).toBe('Kari');
    vault.assertCurrent([scopeId]);
  });

  it.each(['openingKeys', 'openOnce'] as const)(
    'gives nothing that was shredded while the vault’s answer to %s was on its way',
    async (asked) => {
      const owner = person();
      const { scopeId, block } = await seal(owner);
      const vault = house.vaultOf('worker');
      await vault.ready(10_000);
      const ask = VaultConnection.prototype.call;
      VaultConnection.prototype.call = async function (this: VaultConnection, ...call) {
        const answer = await ask.apply(this, call);
        if (call[0] === 'Open') await shred(owner, [scopeId]);
        return answer;
      } as typeof ask;
      try {
        const found =
          asked === 'openOnce'
            ? await vault.openOnce([{ scopeId, block, associatedData: AD }])
            : [(await vault.openingKeys([scopeId])).get(scopeId)?.state];
        expect(found).toEqual(['shredded']);
      } finally {
        VaultConnection.prototype.call = ask;
        await vault.close();
      }
    },
  );

  it('is waited out for a session that does not end, and that session seals no more', async () => {
    const owner = person();
    await seal(owner);
    const fenced = Promise.withResolvers<void>();
    await house.projector.withSealing([request(owner)], async (session) => {
      const startedAtMs = performance.now();
      void fence(owner).then(() => fenced.resolve(), fenced.reject);
      await fenced.promise;
      expect(performance.now() - startedAtMs).toBeGreaterThan(TEST_LEASE_MS / 2);
      expect(session.remainingMs()).toBe(0);
      expect(() => session.seal(session.keys[0]!, new Uint8Array(), AD)).toThrow(unavailable);
    });
    await expect(seal(owner)).rejects.toMatchObject({ code: 'subject-closed' });
  });

  it('is given back by a process that ends in order, and not by one that seals something yet', async () => {
    const long = await startVaultHouse({ leaseMs: 120_000 });
    try {
      const [owner, other] = [person(), person()];
      const holders = async () => (await long.status()).holders;
      const going = long.vaultOf('api');
      const { scopeId, block } = await seal(owner, 'contact', going);
      const key = await keyOf(going, scopeId);
      const before = await holders();
      await going.close();
      expect(() => going.open(key, block, AD)).toThrow(unavailable);
      expect(await holders()).toBe(before - 1);
      // Far within the lease.
      await long.shredder.fence({ orderId: randomUUID(), owner, kind: 'erasure', except: [] });
      // What is sealed may land until the lease has run out under which it was.
      await long.projector.withSealing([request(other)], () => long.projector.close());
      expect(await holders()).toBe(before - 1);
      await expect(lost(long.worker, other)).rejects.toMatchObject({ code: 'store-unavailable' });
      await long.worker.close();
      expect(await holders()).toBe(before - 1);
    } finally {
      await long.end();
    }
  });

  it('is waited out for an append of which nobody knows what came of it', async () => {
    const owner = person();
    await expect(lost(house.projector, owner)).rejects.toMatchObject({ code: 'store-unavailable' });
    const startedAtMs = performance.now();
    await fence(owner);
    expect(performance.now() - startedAtMs).toBeGreaterThan(TEST_LEASE_MS / 2);
  });

  it('is not waited out when the session under way ends, nor for other owners’ sessions', async () => {
    const [owner, other] = [person(), person()];
    await Promise.all([seal(owner), seal(other)]);
    const inside = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    let over = false;
    const session = house.projector.withSealing([request(owner)], async () => {
      inside.resolve();
      await release.promise;
      over = true;
    });
    await inside.promise;
    await house.worker.withSealing([request(other)], async ({ keys, seal, remainingMs }) => {
      const up = fence(owner).then(() => expect(over).toBe(true));
      await until(
        async () =>
          (await house.sql(`select 1 from owner where owner_id = $1 and state = 'fenced'`, [owner.id])).length > 0,
      );
      release.resolve();
      await Promise.all([session, up]);
      expect(remainingMs()).toBeGreaterThan(0);
      seal(keys[0]!, new Uint8Array(), AD);
    });
  });

  it('covers each writer: of a hundred late seals beside a fence each is under a live key, and ended before it', async () => {
    const owner = person();
    await seal(owner);
    let fencedAt = Infinity;
    const late = Array.from({ length: 100 }, async (_, index) => {
      await new Promise((resolve) => setTimeout(resolve, index / 2));
      return house.projector.withSealing([request(owner, `c${index % 7}`)], async (session) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        session.seal(session.keys[0]!, new Uint8Array(), AD);
        expect(fencedAt).toBe(Infinity);
        return session.keys[0]!.scopeId;
      });
    });
    const up = fence(owner).then(() => (fencedAt = performance.now()));
    const outcomes = await Promise.allSettled(late);
    await up;
    const made = new Set(outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])));
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'subject-closed' });
    const listed = (await house.shredder.scopesOf(owner)).filter(({ category }) => category !== 'contact');
    expect(new Set(listed.map(({ scopeId }) => scopeId))).toEqual(made);
  });

  it('runs out within its time when the vault is gone, and nothing reads as erased; the vault back, all goes on', async () => {
    const { scopeId, block } = await seal(person());
    const key = await keyOf(house.projector, scopeId);
    await house.stop();
    const stoppedAtMs = performance.now();
    await until(async () => {
      try {
        house.projector.open(key, block, AD);
        return false;
      } catch (error) {
        expect(error).toMatchObject({ code: 'vault-unavailable' });
        return true;
      }
    });
    expect(performance.now() - stoppedAtMs).toBeLessThan(TEST_LEASE_MS * 1.5);
    await expect(house.projector.openingKeys([scopeId])).rejects.toMatchObject({ code: 'vault-unavailable' });
    await expect(house.projector.openOnce([{ scopeId, block, associatedData: AD }])).rejects.toMatchObject({
      code: 'vault-unavailable',
    });
    await expect(seal(person())).rejects.toMatchObject({ code: 'vault-unavailable' });
    await expect(house.shredder.scopesOf(person())).rejects.toMatchObject({ code: 'vault-unavailable' });
    await house.start();
    await house.projector.ready(5_000);
    expect(Buffer.from(house.projector.open(await keyOf(house.projector, scopeId), block, AD)).toString()).toBe('Kari');
    // What was opened under the vault's earlier life can't be vouched for: the new one does not know what was shredded since.
    expect(() => house.projector.assertCurrent([newId<ScopeId>()])).toThrow(unavailable);
    house.projector.assertCurrent([scopeId]);
  });

  it('is not given while the database is away, and nothing reads as erased; the database back, the vault goes on by itself', async () => {
    const { scopeId, block } = await seal(person());
    const [{ name }] = (await house.sql('select current_database() as name')) as [{ name: string }];
    const server = createPool(`${process.env['MAKULER_TEST_POSTGRES']}/postgres`, { name: 'spec', max: 1 });
    const away = async (allowed: boolean) => {
      await server.query(`alter database ${name} allow_connections ${allowed}`);
      if (!allowed)
        await server.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
    };
    await away(false);
    await until(async () =>
      house.projector.openingKeys([scopeId]).then(
        () => false,
        (error: { code: string }) => {
          expect(error.code).toBe('vault-unavailable');
          return true;
        },
      ),
    );
    await expect(seal(person())).rejects.toMatchObject({ code: 'vault-unavailable' });
    await away(true);
    await house.projector.ready(10_000);
    expect(Buffer.from(house.projector.open(await keyOf(house.projector, scopeId), block, AD)).toString()).toBe('Kari');
    expect(await house.status()).toMatchObject({ gate: 'consistent' });
    await server.end();
  });

  describe('of another process', () => {
    let child: ChildProcess;
    const ask = async (message: object): Promise<unknown> => {
      const answer = once(child, 'message');
      child.send(message);
      return (await answer)[0];
    };
    beforeEach(async () => {
      child = fork(fileURLToPath(new URL('vault-holder.child.mjs', import.meta.url)), { execArgv: [] });
      expect(
        await ask({ connect: { address: `127.0.0.1:${house.options.port}`, ...house.certificateOf('api') } }),
      ).toBe('ready');
    });
    afterEach(() => child.kill('SIGKILL'));

    it('stopped across a shred: the receipt waits for its lease, and its first answer after waking is no value', async () => {
      const owner = person();
      const { scopeId, block } = await seal(owner);
      const read = { read: { scopeId, block: Buffer.from(block).toString('base64') } };
      expect(await ask(read)).toBe('Kari');
      expect(await ask({ peek: true })).toBe('Kari');
      const orderId = await fence(owner);
      child.kill('SIGSTOP');
      const before = performance.now();
      await house.shredder.shred({ orderId, owner, scopeIds: [scopeId], kind: 'erasure' });
      expect(performance.now() - before).toBeGreaterThan(TEST_LEASE_MS / 4);
      // Both lie in its queue when it wakes up: it answers at once, from what it has in memory.
      const first = ask({ peek: true });
      child.kill('SIGCONT');
      expect(await first).toBe('vault-unavailable');
      expect(await ask({ peek: true })).toBe('vault-unavailable');
      await until(async () => (await ask(read)) === 'shredded');
      expect(await ask(read)).toBe('shredded');
    });

    it('stopped inside a sealing session across a fence: it seals nothing when it wakes up', async () => {
      const owner = person();
      await seal(owner);
      expect(await ask({ begin: request(owner) })).toBe('begun');
      child.kill('SIGSTOP');
      await fence(owner);
      const sealed = ask({ seal: true });
      child.kill('SIGCONT');
      expect(await sealed).toBe('vault-unavailable');
      await until(async () => (await ask({ begin: request(owner) })) === 'subject-closed');
    });

    it('killed: a shred waits for nothing but its lease', async () => {
      const owner = person();
      const { scopeId } = await seal(owner);
      child.kill('SIGKILL');
      const receipt = await shred(owner, [scopeId]);
      expect(receipt.destroyed).toHaveLength(1);
    });
  });
});
