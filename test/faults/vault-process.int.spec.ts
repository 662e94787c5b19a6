import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { OwnerRef, ScopeId, SubjectId } from '#kernel';
import { isMakulerError, newId, subjectOwner } from '#kernel';
import type { Server } from '../conformance/event-store/connection.js';
import { startOwnNode } from '../conformance/event-store/event-node.js';
import { urlOf } from './gate-world.js';
import type { VaultHouse } from './vault-house.js';
import { environmentOf, startVaultHouse, TEST_LEASE_MS } from './vault-house.js';

const MAIN = fileURLToPath(new URL('../../dist/apps/vault/src/main.js', import.meta.url));
const AD = new TextEncoder().encode('event');
const person = (): OwnerRef => subjectOwner(newId<SubjectId>());

/** The shipped program, as a process of its own: P5 and P6. Runs on the built code. */
describe('the vault’s process', () => {
  let house: VaultHouse;
  let node: Server;
  let child: ChildProcess | undefined;
  /** Exit status of the process started last. */
  let exited: Promise<number | null>;
  beforeAll(async () => {
    [house, node] = await Promise.all([startVaultHouse(), startOwnNode()]);
    await house.stop();
  });
  afterAll(async () => {
    child?.kill('SIGKILL');
    await house.end();
    await node.close();
  });

  const launch = async (over: Record<string, string> = {}): Promise<Record<string, unknown>> => {
    child = spawn(process.execPath, [MAIN], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...environmentOf(house, urlOf(node)),
        ...over,
      },
    });
    exited = once(child, 'exit').then(([status]) => status as number | null);
    for await (const line of createInterface(child.stdout!))
      if (line.includes('"event"')) return JSON.parse(line) as Record<string, unknown>;
    throw new Error('the vault ended without a word');
  };
  const kill = async (signal: NodeJS.Signals): Promise<number | null> => {
    child!.kill(signal);
    return exited;
  };
  const seal = (owner: OwnerRef, partition = '') =>
    house.api.withSealing(
      [{ owner, category: 'contact', partition, stream: `customer-${owner.id}` }],
      async ({ keys, seal }) => ({
        owner,
        scopeId: keys[0]!.scopeId,
        block: seal(keys[0]!, new TextEncoder().encode(owner.id), AD),
      }),
    );
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  type Sealed = Awaited<ReturnType<typeof seal>>;
  const read = async ({ scopeId, block }: Pick<Sealed, 'scopeId' | 'block'>) => {
    const found = (await house.projector.openingKeys([scopeId])).get(scopeId)!;
    return found.state === 'live' ? Buffer.from(house.projector.open(found.key, block, AD)).toString() : found.state;
  };

  it('says in one line that it is ready, ends cleanly on SIGTERM, and says why it refuses', async () => {
    const { port } = house.options;
    expect(await launch()).toMatchObject({ event: 'ready', host: '127.0.0.1', port, gate: 'consistent' });
    expect(await kill('SIGTERM')).toBe(0);
    const inHome = `${house.options.home!}/custodian`;
    expect(await launch({ CUSTODIAN: inHome })).toMatchObject({ event: 'refused', reason: 'custodian-exposed' });
    expect(await exited).toBe(3);
    const wrong = await launch({ VAULT_LEASE_MS: 'soon', CUSTODIAN: '' });
    expect(wrong).toMatchObject({ event: 'refused', message: expect.stringMatching(/CUSTODIAN[^]*VAULT_LEASE_MS/) });
    expect(JSON.stringify(wrong)).not.toContain('soon');
    expect(await exited).toBe(2);
  });

  it('hanging, is an outage within a lease and never an erasure; awake, it goes on', async () => {
    await launch();
    await house.projector.ready(5_000);
    const sealed = await seal(person());
    expect(await read(sealed)).toBe(sealed.owner.id);
    child!.kill('SIGSTOP');
    const stoppedAtMs = performance.now();
    const answers = new Set<string>();
    while (performance.now() - stoppedAtMs < 2 * TEST_LEASE_MS)
      answers.add(await read(sealed).catch((error: { code: string }) => error.code));
    expect(answers).toEqual(new Set([sealed.owner.id, 'vault-unavailable']));
    await expect(read(sealed)).rejects.toMatchObject({ code: 'vault-unavailable' });
    child!.kill('SIGCONT');
    await house.projector.ready(5_000);
    expect(await read(sealed)).toBe(sealed.owner.id);
    await kill('SIGTERM');
  });

  it('killed under load, four times: what was sealed opens, what was shredded stays so, and an order is finished once', async () => {
    await launch();
    await house.api.ready(10_000);
    const alive: Sealed[] = [];
    const orders = new Map<string, { sealed: Sealed; done: boolean }>();
    const shred = async (orderId: string, { owner, scopeId }: Sealed) => {
      await house.shredder.fence({ orderId, owner, kind: 'expiry', except: [] });
      return house.shredder.shred({ orderId, owner, scopeIds: [scopeId], kind: 'expiry' });
    };
    let ending = false;
    let sealedEver = 0;
    /** Orders that a round may give: each is looked at once more in the end, however fast the machine was. */
    let allowed = 0;
    /** Whatever is said during an outage, it is `vault-unavailable` and nothing else. */
    const orOutage = async (work: () => Promise<void>) => {
      try {
        await work();
      } catch (error) {
        if (!isMakulerError(error, 'vault-unavailable')) throw error;
      }
    };
    const sealing = Array.from({ length: 8 }, async () => {
      while (!ending) {
        await orOutage(async () => {
          alive.push(await seal(person()));
          sealedEver++;
        });
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    const shredding = Array.from({ length: 3 }, async () => {
      while (!ending) {
        const sealed = orders.size < allowed ? alive.shift() : undefined;
        if (!sealed) await new Promise((resolve) => setTimeout(resolve, 5));
        else {
          const orderId = randomUUID();
          const order = { sealed, done: false };
          orders.set(orderId, order);
          await orOutage(async () => {
            await shred(orderId, sealed);
            order.done = true;
          });
        }
      }
    });
    const working = Promise.all([...sealing, ...shredding]);
    try {
      for (let round = 0; round < 4; round++) {
        const [sealedBefore, ordersBefore] = [sealedEver, orders.size];
        allowed = ordersBefore + 12;
        await until(() => sealedEver >= sealedBefore + 20 && orders.size >= ordersBefore + 4);
        await kill('SIGKILL');
        expect(await launch()).toMatchObject({ event: 'ready' });
      }
    } finally {
      ending = true;
      await working;
    }
    await house.projector.ready(5_000);
    // The shredder has a connection of its own, which is tried again within half a second.
    let reached = false;
    while (!reached)
      await orOutage(async () => {
        await house.shredder.receiptOf(randomUUID());
        reached = true;
      });
    await Promise.all(alive.map(async (sealed) => expect(await read(sealed)).toBe(sealed.owner.id)));
    for (const [orderId, { sealed, done }] of orders) {
      const receipt = await house.shredder.receiptOf(orderId);
      if (done) expect(receipt).toBeDefined();
      expect(await read(sealed)).toBe(receipt ? 'shredded' : sealed.owner.id);
      const repeated = await shred(orderId, sealed);
      expect(repeated.destroyed).toHaveLength(1);
      if (receipt) expect(repeated).toEqual(receipt);
      expect(await read(sealed)).toBe('shredded');
    }
    const ids: ScopeId[] = [...orders.values()].map(({ sealed }) => sealed.scopeId);
    expect(
      await house.sql(`select count(*)::int as n from scope where scope_id = any($1) and state = 'expired'`, [ids]),
    ).toEqual([{ n: ids.length }]);
    await kill('SIGTERM');
  }, 120_000);
});
