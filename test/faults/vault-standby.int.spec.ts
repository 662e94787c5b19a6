import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { OwnerRef, ScopeId, SubjectId } from '#kernel';
import { freePort, isMakulerError, newId, subjectOwner } from '#kernel';
import { createPool } from '#postgres';
import { logLines } from '#testing';
import type { GrpcVault } from '#vault';
import { askVaultStatus } from '#vault';
import { GrpcShredder } from '#vault/shredder';
import { GrpcVaultOperations } from '#vault/operations';
import { FileCustodian } from '#vault/keeper';
import type { Server } from '../conformance/event-store/connection.js';
import { startOwnNode } from '../conformance/event-store/event-node.js';
import { urlOf } from './gate-world.js';
import { StandingProcess } from './standing-process.js';
import type { VaultHouse } from './vault-house.js';
import { environmentOf, startVaultHouse, TEST_LEASE_MS } from './vault-house.js';

const MAIN = fileURLToPath(new URL('../../dist/apps/vault/src/main.js', import.meta.url));
const AD = new TextEncoder().encode('event');
/** From a death to the first answer of the other one: what is promised of the shipped lease of 5 s, and this one is shorter. */
const WITHIN_MS = 10_000;

interface Vault {
  readonly process: StandingProcess;
  readonly address: string;
  readonly metricsPort: number;
}
interface Sealed {
  readonly owner: OwnerRef;
  readonly scopeId: ScopeId;
  readonly block: Uint8Array;
  /** Of a session that made a key; one that is asked again finds it made. */
  readonly sequence: number | undefined;
}

/** P5 and P6 of two vaults on one database and one custodian. Runs on the built code. */
describe('two vaults', () => {
  let house: VaultHouse;
  let node: Server;
  let clients: { api: GrpcVault; shredder: GrpcShredder };
  let ports: readonly [number, number];
  let vaults: [Vault, Vault];
  const everyVault: Vault[] = [];
  beforeAll(async () => {
    [house, node] = await Promise.all([startVaultHouse(), startOwnNode()]);
    await house.stop();
    ports = [await freePort('127.0.0.1'), await freePort('127.0.0.1')];
    const address = ports.map((port) => `127.0.0.1:${port}`).join(',');
    clients = {
      api: house.vaultOf('api', { address, patienceMs: 5_000 }),
      shredder: new GrpcShredder({ address, ...house.certificateOf('worker') }),
    };
    const first = await launch(0);
    await first.process.says(['ready']);
    vaults = [first, await launch(1)];
    await vaults[1].process.says(['ready']);
  });
  afterAll(async () => {
    await Promise.all(vaults.map(({ process }) => process.end('SIGKILL')));
    clients.shredder.close();
    await house.end();
    await node.close();
  });

  const launch = async (which: 0 | 1): Promise<Vault> => {
    const metricsPort = await freePort('127.0.0.1');
    const process = new StandingProcess([MAIN], {
      ...environmentOf(house, urlOf(node), ports[which]),
      METRICS_PORT: String(metricsPort),
    });
    const vault = { process, address: `127.0.0.1:${ports[which]}`, metricsPort };
    everyVault.push(vault);
    return vault;
  };
  const statusOf = ({ address }: Vault) => askVaultStatus({ address, ...house.certificateOf('cli') }, 5_000);
  /** The active one, and the other: asked of themselves. */
  const standing = async (): Promise<{ active: Vault; standby: Vault }> => {
    for (;;) {
      const gates = await Promise.all(
        vaults.map((vault) =>
          statusOf(vault).then(
            ({ gate }) => gate,
            () => 'away',
          ),
        ),
      );
      const active = gates.findIndex((gate) => gate === 'consistent' || gate === 'reconciled');
      if (active >= 0 && gates[1 - active] === 'standby')
        return { active: vaults[active]!, standby: vaults[1 - active]! };
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  /** In the place of one that was ended. */
  const relaunch = async (ended: Vault): Promise<void> => {
    const which = vaults[0] === ended ? 0 : 1;
    vaults[which] = await launch(which);
    expect(await vaults[which].process.says(['ready'])).toMatchObject({ gate: 'standby' });
  };
  const seal = async (owner: OwnerRef = subjectOwner(newId<SubjectId>())): Promise<Sealed> =>
    clients.api.withSealing(
      [{ owner, category: 'contact', partition: '', stream: `customer-${owner.id}` }],
      async ({ keys, seal, mintSequence }) => ({
        ...{ owner, scopeId: keys[0]!.scopeId, sequence: mintSequence },
        block: seal(keys[0]!, new TextEncoder().encode(owner.id), AD),
      }),
    );
  const read = async ({ scopeId, block }: Sealed) => {
    const found = (await clients.api.openingKeys([scopeId])).get(scopeId)!;
    return found.state === 'live' ? Buffer.from(clients.api.open(found.key, block, AD)).toString() : found.state;
  };
  const shred = async ({ owner, scopeId }: Sealed, orderId: string = randomUUID()) => {
    await clients.shredder.fence({ orderId, owner, kind: 'expiry', except: [] });
    return clients.shredder.shred({ orderId, owner, scopeIds: [scopeId], kind: 'expiry' });
  };
  /** Says again what an outage has interrupted, until it is done; whatever is said during one is `vault-unavailable`. */
  const insist = async <T>(work: () => Promise<T>): Promise<T> => {
    for (;;)
      try {
        return await work();
      } catch (error) {
        if (!isMakulerError(error, 'vault-unavailable')) throw error;
      }
  };
  const journaled = async () => {
    const states = await Promise.all(house.mirrors.map((mirror) => new FileCustodian(mirror).readState()));
    return states.map(
      (state) =>
        new Set(
          [...state!.shredded, ...state!.pending.flatMap(({ entries }) => entries)].map(({ scopeId }) => scopeId),
        ),
    );
  };

  it('are one that is active and one that serves nothing, and says so to whoever asks', async () => {
    const { active, standby } = await standing();
    const operations = new GrpcVaultOperations({ address: standby.address, ...house.certificateOf('api') });
    await expect(operations.epochs()).rejects.toMatchObject({
      code: 'vault-unavailable',
      message: expect.stringContaining('standby'),
    });
    operations.close();
    const ready = async ({ metricsPort }: Vault, path = 'health/ready') => {
      const answer = await fetch(`http://127.0.0.1:${metricsPort}/${path}`);
      return { status: answer.status, text: await answer.text() };
    };
    expect(await ready(active)).toMatchObject({ status: 200 });
    expect(await ready(standby)).toMatchObject({ status: 503, text: expect.stringContaining('standby') });
    expect(await ready(standby, 'health/live')).toMatchObject({ status: 200 });
    expect((await ready(active, 'metrics')).text).toContain('makuler_active{program="vault"} 1');
    expect((await ready(standby, 'metrics')).text).toContain('makuler_active{program="vault"} 0');
    const projector = new GrpcShredder({ address: active.address, ...house.certificateOf('projector') });
    await projector.receiptOf(randomUUID()).catch(() => undefined);
    projector.close();
    expect((await ready(active, 'metrics')).text).toMatch(/makuler_access_refused_total\{.*code="forbidden".*\} 1\n/);
    // Whatever the order of the addresses.
    const address = [standby, active].map((vault) => vault.address).join(',');
    expect((await askVaultStatus({ address, ...house.certificateOf('cli') })).gate).toMatch('consistent');
  });

  it('go on within ten seconds when the active one is killed, with every key that was ever handed out', async () => {
    const { active, standby } = await standing();
    const sealed = await Promise.all(Array.from({ length: 20 }, () => seal()));
    const from = standby.process.said.length;
    const killedAtMs = performance.now();
    await active.process.end('SIGKILL');
    const next = await insist(() => seal());
    expect(performance.now() - killedAtMs).toBeLessThan(WITHIN_MS);
    expect(await standby.process.says(['active'], from)).toMatchObject({ gate: 'consistent' });
    for (const one of [...sealed, next]) expect(await insist(() => read(one))).toBe(one.owner.id);
    await relaunch(active);
  });

  it('hand over without waiting for anything when the active one is told to end', async () => {
    const { active, standby } = await standing();
    const from = standby.process.said.length;
    await active.process.end('SIGTERM');
    const endedAtMs = performance.now();
    await standby.process.says(['active'], from);
    // The lease is what it would have waited for otherwise, and reconciling comes after it.
    expect(performance.now() - endedAtMs).toBeLessThan(5 * TEST_LEASE_MS);
    await relaunch(active);
  });

  it('write one after the other when the active one is stopped at work and wakes up: nothing of the first lands after the second began', async () => {
    const all: Sealed[] = [];
    const shredded: Sealed[] = [];
    let ending = false;
    const sealing = Array.from({ length: 3 }, async () => {
      while (!ending) all.push(await insist(() => seal()));
    });
    const shredding = Array.from({ length: 2 }, async () => {
      while (!ending) {
        const sealed = await insist(() => seal());
        const orderId = randomUUID();
        await insist(() => shred(sealed, orderId));
        shredded.push(sealed);
      }
    });
    const working = Promise.all([...sealing, ...shredding]);
    const until = async (holds: () => boolean) => {
      while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    try {
      for (let round = 0; round < 2; round++) {
        const { active, standby } = await standing();
        const [sealedBefore, shreddedBefore] = [all.length, shredded.length];
        await until(() => all.length > sealedBefore + 5 && shredded.length > shreddedBefore);
        const marks = [active.process.said.length, standby.process.said.length] as const;
        const stoppedAtMs = performance.now();
        active.process.signal('SIGSTOP');
        await standby.process.says(['active'], marks[1]);
        expect(performance.now() - stoppedAtMs).toBeLessThan(WITHIN_MS);
        const shreddedThen = shredded.length;
        await until(() => shredded.length > shreddedThen);
        active.process.signal('SIGCONT');
        await active.process.says(['standby'], marks[0]);
      }
    } finally {
      ending = true;
      await working;
    }
    // No key was minted by both: each count was given once, and each scope has one row.
    const counts = [...all, ...shredded].flatMap(({ sequence }) => sequence ?? []);
    expect(new Set(counts).size).toBe(counts.length);
    const [{ n }] = (await house.sql(
      `select count(*)::int as n from scope where scope_id = any($1) and state = 'live'`,
      [all.map(({ scopeId }) => scopeId)],
    )) as [{ n: number }];
    expect(n).toBe(all.length);
    for (const one of all) expect(await insist(() => read(one))).toBe(one.owner.id);
    for (const one of shredded) expect(await insist(() => read(one))).toBe('shredded');
    // What was shredded by either stands in the journal of every mirror.
    for (const journal of await journaled())
      expect(shredded.filter(({ scopeId }) => !journal.has(scopeId))).toEqual([]);
    const { active } = await standing();
    expect((await statusOf(active)).mirrors).toEqual(house.mirrors.map((name) => ({ name, ok: true, message: '' })));
  }, 150_000);

  it('have one active again after the active one has lost its connection to the database', async () => {
    const { active, standby } = await standing();
    await house.sql('select pg_terminate_backend(session_pid, 5000) from leases.lease');
    const sealed = await insist(() => seal());
    const after = await standing();
    expect([after.active, after.standby]).toEqual(expect.arrayContaining([active, standby]));
    expect(await insist(() => read(sealed))).toBe(sealed.owner.id);
  });

  it('say in their logs that the gate has closed, why, and that it is open again: each once, however long that took', async () => {
    const both = await standing();
    const from = new Map(vaults.map(({ process }) => [process, process.printed.length]));
    const at = new URL(house.options.databaseUrl);
    const name = at.pathname.slice(1);
    at.pathname = '/postgres';
    const server = createPool(at.href, { name: 'spec', max: 1 });
    const allow = (is: boolean) => server.query(`alter database ${name} with allow_connections ${is}`);
    try {
      await allow(false);
      await server.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
      for (const [process, start] of from) await process.prints('"msg":"gate.waiting"', start);
      // So long they try again, twenty times in a lease.
      await new Promise((resolve) => setTimeout(resolve, 2 * TEST_LEASE_MS));
    } finally {
      await allow(true);
      await server.end();
    }
    const { active, standby } = await standing();
    await active.process.prints('"msg":"gate.opened"', from.get(active.process));
    await standby.process.prints('"msg":"gate.standby"', from.get(standby.process));
    const linesOf = ({ process }: Vault) => logLines(process.printed.slice(from.get(process)), 'vault');
    const first = linesOf(both.active).map(({ msg }) => msg);
    expect(first.slice(0, 2)).toEqual(['lease.lost', 'gate.closed']);
    for (const vault of vaults) {
      const waiting = linesOf(vault).filter(({ msg }) => msg === 'gate.waiting');
      const codes = waiting.map(({ code }) => code);
      expect(codes.length).toBeGreaterThan(0);
      expect(codes).toEqual([...new Set(codes)]);
      expect(waiting[0]).toMatchObject({ level: 'warn', frames: expect.any(Array) });
    }
    expect(linesOf(active).at(-1)).toMatchObject({ gate: expect.stringMatching(/^(consistent|reconciled)$/) });
  });

  it('print nothing but lines of a log', () => {
    for (const { process } of everyVault) {
      const lines = logLines(process.printed, 'vault');
      expect(lines.map(({ msg }) => msg)).toContain('ready');
    }
    const all = new Set(everyVault.flatMap(({ process }) => logLines(process.printed, 'vault').map(({ msg }) => msg)));
    for (const what of ['ready', 'active', 'standby', 'lease.taken', 'lease.lost', 'gate.opened', 'gate.closed'])
      expect(all).toContain(what);
  });
});
