import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Backups, Inventory } from '#backup';
import { EventRegistry, event, personal, plain, reference, subject, SubjectErased } from '#events';
import type { ActorId, CustomerId, OwnerRef, PurchaseId, ServiceCaseId } from '#kernel';
import { freePort, inContext, newId, RandomIds, SystemClock } from '#kernel';
import type { RecordedEvent } from '#ledger';
import { EventStoreDb, EventStoreLedger } from '#ledger';
import { ensureAuthority } from '#pki';
import { createPool } from '#postgres';
import type { EmbeddedServer } from '#postgres/embedded';
import type { GrpcVaultOptions } from '#vault';
import { GrpcVault } from '#vault';
import { GrpcVaultArchive, GrpcVaultOperations } from '#vault/operations';
import { GrpcShredder } from '#vault/shredder';
import { Tokens } from '#tokens';
import type { EventNode } from '../../apps/event-node/src/server.js';
import { startEventNode } from '../../apps/event-node/src/server.js';

const Registered = event('person.registered', 1, {
  customerId: subject<CustomerId>(),
  name: personal<string>('contact'),
  email: personal<string>('contact'),
  remark: personal<string>('profile'),
});
const Bought = event('thing.bought', 1, {
  itemType: plain<string>('a kind of thing that anybody buys'),
  buyerId: reference<CustomerId>('purchase', { owner: 'buyer' }),
  serialNumber: personal<string>('purchase', { owner: 'buyer' }),
});
const Complained = event('case.opened', 1, {
  itemType: plain<string>('a kind of thing that anybody buys'),
  customerId: reference<CustomerId>('service', { owner: 'customer' }),
  description: personal<string>('service', { owner: 'customer' }),
});

/** Somebody with events in four streams, and every value that stands in them. */
export interface AttackedPerson {
  readonly owner: OwnerRef & { readonly kind: 'subject' };
  readonly streams: readonly string[];
  readonly values: readonly string[];
}

export interface AttackedHouseOptions {
  readonly server: EmbeddedServer;
  /** An empty place. The home and the custodian come below it, side by side. */
  readonly directory: string;
  /** The vault's program: what is shipped, or a sabotaged copy of it. */
  readonly vaultMain: string;
  /** `VAULT_EPOCH_WINDOW`. */
  readonly window: string;
}

const LEASE_MS = 1_000;
/** Every ledger's events: the vault's row of the log among them. */
const registry = new EventRegistry([Registered, Bought, Complained, SubjectErased]);

/** Log, vault and custodian as an installation has them, the vault as a process of its own; databases on a server given. */
export class AttackedHouse {
  readonly vault: GrpcVault;
  readonly shredder: GrpcShredder;
  readonly operations: GrpcVaultOperations;
  readonly #archive: GrpcVaultArchive;
  readonly #ledger: EventStoreLedger;
  #child: ChildProcess | undefined;
  /** What the vault's process said first, at its last start. */
  said: Record<string, unknown> = {};

  private constructor(
    readonly mirrors: readonly string[],
    readonly urls: Readonly<Record<'vault' | 'events' | 'control', string>>,
    private readonly vaultMain: string,
    private readonly environment: Record<string, string>,
    private readonly node: EventNode,
    private readonly store: EventStoreDb,
    private readonly clients: Readonly<Record<'api' | 'worker', GrpcVaultOptions>>,
  ) {
    this.vault = new GrpcVault(clients.api);
    this.shredder = new GrpcShredder(clients.worker);
    this.operations = new GrpcVaultOperations(clients.worker);
    this.#archive = new GrpcVaultArchive(clients.worker);
    this.#ledger = this.#ledgerOver(this.vault);
  }

  static async start({ server, directory, vaultMain, window }: AttackedHouseOptions): Promise<AttackedHouse> {
    const home = join(directory, 'home');
    await mkdir(home, { recursive: true });
    const serial = randomBytes(4).toString('hex');
    const names = { vault: `vault_${serial}`, events: `events_${serial}`, control: `control_${serial}` };
    const pool = createPool(server.url('postgres'), { name: 'attacked house' });
    for (const name of Object.values(names)) await pool.query(`create database ${name} template template0`);
    await pool.end();
    const urls = {
      vault: server.url(names.vault),
      events: server.url(names.events),
      control: server.url(names.control),
    };

    const authority = await ensureAuthority(join(home, 'pki'));
    const nodeFiles = await authority.ensureCertificate('event-node', { usage: 'server' });
    const password = randomBytes(16).toString('hex');
    const node = await startEventNode({ ...nodeFiles, databaseUrl: urls.events, port: 0, password });
    const url = `esdb://makuler:${password}@localhost:${node.port}?tls=true&tlsCAFile=${nodeFiles.caFile}`;

    const vaultFiles = await authority.ensureCertificate('vault', { usage: 'server' });
    const mirrors = ['a', 'b'].map((name) => join(directory, 'custodian', name));
    const port = await freePort('127.0.0.1');
    const environment = {
      ...{ VAULT_DATABASE_URL: urls.vault, VAULT_PORT: String(port), VAULT_LEASE_MS: String(LEASE_MS) },
      ...{ VAULT_CERT_FILE: vaultFiles.certFile, VAULT_KEY_FILE: vaultFiles.keyFile, VAULT_CA_FILE: vaultFiles.caFile },
      ...{ CUSTODIAN: mirrors.join(','), MAKULER_HOME: home, VAULT_EPOCH_WINDOW: window, EVENTSTORE_URL: url },
      ...{ NODE_NO_WARNINGS: '1' },
    };
    const client = async (name: string) => ({
      ...{ address: `127.0.0.1:${port}`, patienceMs: 5_000 },
      ...(await authority.ensureCertificate(name, { usage: 'client' })),
    });
    const clients = { api: await client('api'), worker: await client('worker') };
    const house = new AttackedHouse(mirrors, urls, vaultMain, environment, node, new EventStoreDb(url), clients);
    await house.startVault();
    return house;
  }

  /** Starts the vault's process, with another database or custodian if one is given, and waits until it has said how it is. */
  async startVault({ databaseUrl = this.urls.vault, mirrors = this.mirrors } = {}): Promise<void> {
    const env = { ...this.environment, VAULT_DATABASE_URL: databaseUrl, CUSTODIAN: mirrors.join(',') };
    this.#child = spawn(process.execPath, [this.vaultMain], { stdio: ['ignore', 'pipe', 'inherit'], env });
    for await (const line of createInterface(this.#child.stdout!)) {
      this.said = JSON.parse(line) as Record<string, unknown>;
      if ('event' in this.said) break;
    }
    if (/consistent|reconciled/.test(String(this.said['gate']))) await this.vault.ready(20_000);
  }

  async stopVault(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  /** A new person: a card, two purchases and a case, every value of it unlike anybody else's. */
  async register(): Promise<AttackedPerson> {
    const customerId = newId<CustomerId>();
    const owner = { kind: 'subject', id: customerId } as const;
    const [first, second, serviceCase] = [newId<PurchaseId>(), newId<PurchaseId>(), newId<ServiceCaseId>()];
    const [name, email, remark, serial, other, trouble] = Array.from({ length: 6 }, randomUUID) as string[];
    const streams = [`customer-${customerId}`, `purchase-${first}`, `purchase-${second}`, `service-${serviceCase}`];
    const owners = { buyer: owner, customer: owner };
    const drafts = [
      Registered.of({ customerId, name: name!, email: email!, remark: remark! }, { partitions: { contact: '1' } }),
      Bought.of({ itemType: 'lathe', buyerId: customerId, serialNumber: serial! }, { owners: { buyer: owner } }),
      Bought.of({ itemType: 'drill', buyerId: customerId, serialNumber: other! }, { owners: { buyer: owner } }),
      Complained.of(
        { itemType: 'lathe', customerId, description: trouble! },
        { owners: { customer: owners.customer } },
      ),
    ] as const;
    for (const [index, draft] of drafts.entries())
      await asSomebody(() => this.#ledger.append({ stream: streams[index]!, expected: 'no-stream', drafts: [draft] }));
    return { owner, streams, values: [name!, email!, remark!, serial!, other!, trouble!] };
  }

  /**
   * Shreds all that a person has, in the order in which an erasure does it; gives the order's id. `silently`: up to where a crash
   * would leave the log without a word of it.
   */
  async erase({ owner, streams }: AttackedPerson, { silently = false } = {}): Promise<string> {
    const orderId = randomUUID();
    await this.shredder.fence({ orderId, owner, kind: 'erasure', except: [] });
    const scopeIds = (await this.shredder.scopesOf(owner)).map(({ scopeId }) => scopeId);
    await this.shredder.shred({ orderId, owner, scopeIds, kind: 'erasure' });
    await this.shredder.closeForEver(owner, orderId);
    if (silently) return orderId;
    const draft = SubjectErased.of({ ownerId: owner.id, ownerKind: 'subject', categories: {}, retained: [] });
    await asSomebody(() => this.#ledger.append({ stream: streams[0]!, expected: 'any', drafts: [draft] }));
    return orderId;
  }

  /** A set of `makuler backup`, in a directory of its own below the one given. */
  async backUp(directory: string): Promise<void> {
    const control = createPool(this.urls.control, { name: 'backup', max: 3 });
    const clock = new SystemClock();
    try {
      await new Tokens(control, clock).migrate();
      const inventory = new Inventory(control, this.operations, clock);
      const mirrors = async () => this.mirrors;
      await new Backups({ ...{ store: this.store, vault: this.#archive, control, clock, inventory, mirrors } }).take({
        directory,
      });
    } finally {
      await control.end();
    }
  }

  /** What a program that has just started reads in a person's streams: the states of their blocks. */
  async read({ streams }: AttackedPerson): Promise<ReadonlySet<string>> {
    const vault = new GrpcVault(this.clients.api);
    const ledger = this.#ledgerOver(vault);
    try {
      await vault.ready(10_000);
      const events = (await Promise.all(streams.map((stream) => ledger.read(stream)))).flat();
      return new Set(events.flatMap(({ scopes }: RecordedEvent) => scopes.map(({ state }) => state)));
    } finally {
      await vault.close();
    }
  }

  #ledgerOver(vault: GrpcVault): EventStoreLedger {
    const { store } = this;
    return new EventStoreLedger({ store, vault, registry, clock: new SystemClock(), policyVersion: () => 'test' });
  }

  async end(): Promise<void> {
    await this.#ledger.close();
    for (const client of [this.vault, this.shredder, this.operations, this.#archive]) await client.close();
    await this.stopVault('SIGKILL');
    await this.node.close();
  }
}

const asSomebody = <T>(work: () => Promise<T>): Promise<T> =>
  inContext({ actor: newId<ActorId>(), roles: ['system'], purpose: 'avtale', ids: new RandomIds() }, work);
