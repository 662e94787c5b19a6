import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { verifySet } from '#backup';
import { eventRegistry } from '#composition';
import { CustomerRegistered } from '#customers';
import type { CustomerId } from '#kernel';
import type { ActorId } from '#kernel';
import { inContext, isMakulerError, newId, subjectOwner, SystemClock, systemContext } from '#kernel';
import { EventStoreDb, EventStoreLedger } from '#ledger';
import type { Pool } from '#postgres';
import { createPool } from '#postgres';
import { testDatabase } from '#testing';
import { Tokens } from '#tokens';
import { startOwnNode } from '../conformance/event-store/event-node.js';
import { urlOf } from './gate-world.js';
import type { KillPoint } from './kill-point.js';
import { killedAt, ONE_THREAD, whereKilled } from './kill-point.js';
import { KilledVault } from './killed-vault.js';

const CHILD = fileURLToPath(new URL('archive.child.mjs', import.meta.url));
const CUSTOMERS = 8;
const ATTEMPTS = 20;
const hidden = (name: string) => name.startsWith('.');

/** A vault that nobody kills may lose a lease on a busy machine: then it is asked again. */
const patiently = async <T>(ask: () => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt++)
    try {
      return await ask();
    } catch (error) {
      if (!isMakulerError(error, 'vault-unavailable') || attempt === ATTEMPTS) throw error;
    }
};

/** What a backup or restore said at its end; `undefined` when it was killed. */
type Said = { readonly failed?: string; readonly set?: string; readonly cleared?: number } | undefined;

/** Stores: those that are backed up, or fresh ones to restore into. */
interface Stores {
  readonly eventStoreUrl: string;
  readonly controlUrl: string;
  /** What the vault's process is given beside its usual environment. */
  readonly vault: Readonly<Record<string, string>>;
}

/** All that people would see of an installation that was restored. */
export interface Seen {
  readonly events: readonly object[];
  readonly names: readonly string[];
  readonly tokens: readonly object[];
}

/** A small installation: a vault that is a process, an event node, a control database; its backups, and places to restore them to. */
export class ArchiveWorld {
  readonly #customers: CustomerId[] = [];
  readonly #ending: (() => Promise<unknown>)[] = [];

  private constructor(
    readonly vault: KilledVault,
    readonly source: Stores,
  ) {}

  /** With its vault running. */
  static async build(): Promise<ArchiveWorld> {
    const vault = await KilledVault.unfounded();
    const { url, drop } = await testDatabase();
    const world = new ArchiveWorld(vault, { eventStoreUrl: vault.eventStoreUrl, controlUrl: url, vault: {} });
    world.#ending.push(drop);
    await mkdir(world.sets, { mode: 0o700 });
    // What is sealed must be appended within the lease, also on a busy machine.
    await vault.launch(undefined, { VAULT_LEASE_MS: '5000' });
    await world.#withControl(world.source, async (control) => {
      const tokens = new Tokens(control, new SystemClock());
      await tokens.migrate();
      await tokens.create({ roles: ['operator'], label: 'drift' });
    });
    await world.#withLedger(world.source, async (ledger) => {
      for (let n = 0; n < CUSTOMERS; n++) {
        const customerId = newId<CustomerId>();
        const drafts = [
          CustomerRegistered.of(
            {
              ...{ customerId, relationship: 'customer', sector: 'private', region: null, name: `Kari ${n}` },
              ...{ phone: null, email: null, companyId: null, address: null, sourceKey: null },
            },
            { partitions: { contact: newId() } },
          ),
        ];
        const append = () => ledger.append({ stream: `customer-${customerId}`, expected: 'any', drafts });
        await inContext(systemContext(newId<ActorId>()), () => patiently(append));
        world.#customers.push(customerId);
      }
    });
    return world;
  }

  get sets(): string {
    return join(this.vault.house.directory, 'sets');
  }

  /** Destroys the keys of the first customer who has some. */
  async shredOne(): Promise<void> {
    const { shredder } = this.vault.clients;
    for (const customerId of this.#customers) {
      const owner = subjectOwner(customerId);
      const live = (await patiently(() => shredder.scopesOf(owner))).filter(({ state }) => state === 'live');
      if (live.length === 0) continue;
      const order = { orderId: randomUUID(), owner, kind: 'erasure' } as const;
      return patiently(async () => {
        await shredder.fence({ ...order, except: [] });
        await shredder.shred({ ...order, scopeIds: live.map(({ scopeId }) => scopeId) });
        await shredder.release(owner, order.orderId);
      });
    }
  }

  backUp(point?: KillPoint): Promise<Said> {
    return this.#run({ task: 'backup', directory: this.sets }, this.source, point);
  }
  restore(set: string, incarnation: string, into: Stores, point?: KillPoint): Promise<Said> {
    return this.#run({ task: 'restore', directory: set, incarnation }, into, point);
  }
  /** Where the process before was killed. */
  whereKilled(): Promise<string | undefined> {
    return whereKilled(this.#trace);
  }

  /** Every set that has a set's name is whole; gives what else lies there. */
  async checkSets(): Promise<readonly string[]> {
    const names = await readdir(this.sets);
    for (const name of names.filter((one) => !hidden(one))) await verifySet(join(this.sets, name));
    return names.filter(hidden);
  }
  /** What the inventory knows lies there. */
  async checkInventory(): Promise<void> {
    const there = new Set(await readdir(this.sets));
    await this.#withControl(this.source, async (control) => {
      const { rows } = await control.query<{ directory: string }>('select directory from backup_set');
      expect(rows.filter(({ directory }) => !there.has(basename(directory)))).toEqual([]);
    });
  }

  /** Empty stores beside the custodian of this installation; whatever was there before is given up with `end`. */
  async freshStores(): Promise<Stores & { end(): Promise<void> }> {
    const [node, control, keys] = await Promise.all([startOwnNode(), testDatabase(), testDatabase()]);
    const eventStoreUrl = urlOf(node);
    return {
      ...{ eventStoreUrl, controlUrl: control.url },
      vault: { VAULT_DATABASE_URL: keys.url, EVENTSTORE_URL: eventStoreUrl },
      end: async () => {
        await node.close();
        await Promise.all([control.drop(), keys.drop()]);
      },
    };
  }

  /** With the vault of these stores running. */
  async see(stores: Stores): Promise<Seen> {
    const store = new EventStoreDb(stores.eventStoreUrl);
    const events = (await store.forwards({ maxCount: 1_000 })).map(({ position: _, ...event }) => event);
    await store.close();
    const names: string[] = [];
    await this.#withLedger(stores, async (ledger) => {
      for (const customerId of this.#customers) {
        const [registered] = await patiently(async () => {
          await this.vault.clients.vault.ready(5_000);
          return ledger.read(`customer-${customerId}`);
        });
        const { name } = registered!.data as unknown as { name: { state: string; reveal?(): string } };
        names.push(name.state === 'value' ? name.reveal!() : name.state);
      }
    });
    const tokens = await this.#withControl(
      stores,
      async (control) => (await control.query<object>('select * from api_token')).rows,
    );
    return { events, names, tokens };
  }

  async end(): Promise<void> {
    await this.vault.end();
    for (const end of this.#ending) await end();
  }

  get #trace(): string {
    return join(this.vault.house.directory, 'archive.trace');
  }

  async #run(what: object, { eventStoreUrl, controlUrl }: Stores, point: KillPoint | undefined): Promise<Said> {
    const { port } = this.vault.house.options;
    const vault = { address: `127.0.0.1:${port}`, ...this.vault.house.certificateOf('cli') };
    const command = [process.execPath, CHILD, JSON.stringify({ ...what, eventStoreUrl, controlUrl, vault })] as const;
    const [program, ...args] = point ? killedAt(point, this.#trace, command) : command;
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'], ...ONE_THREAD },
    });
    const ended = once(child, 'close');
    const said = await text(child.stdout);
    const [, signal] = (await ended) as [number | null, NodeJS.Signals | null];
    return signal === 'SIGKILL' ? undefined : (JSON.parse(said) as Said);
  }

  async #withControl<T>({ controlUrl }: Stores, work: (control: Pool) => Promise<T>): Promise<T> {
    const control = createPool(controlUrl, { name: 'spec', max: 1 });
    return work(control).finally(() => control.end());
  }
  async #withLedger(stores: Stores, work: (ledger: EventStoreLedger) => Promise<void>): Promise<void> {
    const store = new EventStoreDb(stores.eventStoreUrl);
    const { vault } = this.vault.clients;
    const clock = new SystemClock();
    const ledger = new EventStoreLedger({
      store,
      vault,
      clock,
      registry: eventRegistry(),
      policyVersion: () => 'spec',
    });
    await work(ledger).finally(() => store.close());
  }
}
