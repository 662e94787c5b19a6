import { randomUUID } from 'node:crypto';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogVerification } from '#chain';
import { Checkpoints, verifyLog } from '#chain';
import { eventRegistry } from '#composition';
import { CustomerRegistered } from '#customers';
import type { Draft } from '#events';
import { SubjectErased } from '#events';
import type { ActorId, CustomerId } from '#kernel';
import { inContext, MakulerError, newId, subjectOwner, SystemClock, systemContext } from '#kernel';
import type { EventStore, StoredEvent } from '#ledger';
import { EventStoreDb, EventStoreLedger } from '#ledger';
import type { LossReport } from '#vault/operations';
import { LOSSES_STREAM, LossesAccepted, ReappliedRecord } from '#recovery';
import { ClockTrusted } from '#retention';
import type { Pool } from '#postgres';
import { createPool } from '#postgres';
import { SigningKeys } from '#signing';
import { testDatabase } from '#testing';
import type { GrpcVault } from '#vault';
import type { Clearing, DestructionReport, EpochsReport } from '#vault/operations';
import { GrpcCheckpointWitness, GrpcVaultOperations, GrpcVaultRecovery } from '#vault/operations';
import type { RunningVault, VaultServerOptions } from '../../apps/vault/src/server.js';
import type { Server } from '../conformance/event-store/connection.js';
import { startOwnNode } from '../conformance/event-store/event-node.js';
import type { VaultHouse } from './vault-house.js';
import { startVaultHouse } from './vault-house.js';

/** All rows of the vault's database at one moment, as a dump has them. */
type Dump = ReadonlyMap<string, readonly object[]>;

/** The address of an event node as our programs take it. In TLS a server has a name. */
export const urlOf = ({ connectionString, credentials }: Server): string =>
  connectionString
    .replace('127.0.0.1', 'localhost')
    .replace('://', `://${credentials!.username}:${encodeURIComponent(credentials!.password)}@`);

/** Children before parents, so that rows can be deleted in this order and put back in the reverse. */
const TABLES = [
  ...['scope', 'owner_bucket', 'owner', 'bucket', 'epoch_key', 'receipt', 'epoch', 'mirror', 'incarnation'],
  ...['reconciliation', 'accepted_loss', 'vault'],
];

/** A log that is away until it is said to be there. */
export class AwayLog extends EventStoreDb {
  away = true;
  override async backwards(options: Parameters<EventStore['backwards']>[0]) {
    if (this.away) throw new MakulerError('store-unavailable');
    return super.backwards(options);
  }
}

/**
 * A vault, its custodian and a real event node, any of which can be put back to an earlier copy, together or alone. What a
 * native backup brings back is what these copies bring back.
 */
export class GateWorld {
  private constructor(
    readonly house: VaultHouse,
    private readonly control: { pool: Pool; drop(): Promise<void> },
    private node: Server,
    private store: EventStore,
    readonly recovery: GrpcVaultRecovery,
    private readonly witness: GrpcCheckpointWitness,
  ) {
    this.client = house.api;
  }
  private client: GrpcVault;

  static async start(): Promise<GateWorld> {
    const [node, database] = await Promise.all([startOwnNode(), testDatabase()]);
    const pool = createPool(database.url, { name: 'spec', max: 2 });
    const house = await startVaultHouse({ log: new EventStoreDb(urlOf(node)) });
    const at = (name: string) => ({ address: `127.0.0.1:${house.options.port}`, ...house.certificateOf(name) });
    const drop = async () => {
      await pool.end();
      await database.drop();
    };
    return new GateWorld(
      house,
      { pool, drop },
      node,
      new EventStoreDb(urlOf(node)),
      new GrpcVaultRecovery(at('api')),
      new GrpcCheckpointWitness(at('worker')),
    );
  }

  /** Of a client that has no keys from before the last start: what it reads, the vault has just answered. */
  get ledger(): EventStoreLedger {
    const { store, client: vault } = this;
    const registry = eventRegistry();
    return new EventStoreLedger({
      store,
      vault,
      registry,
      clock: new SystemClock(),
      policyVersion: () => 'spec',
    });
  }

  async register(): Promise<CustomerId> {
    const customerId = newId<CustomerId>();
    await this.#append(
      `customer-${customerId}`,
      CustomerRegistered.of(
        {
          ...{ customerId, relationship: 'customer', sector: 'private', region: null, name: 'Kari', phone: null },
          ...{ email: null, companyId: null, address: null, sourceKey: null },
        },
        { partitions: { contact: newId() } },
      ),
    );
    return customerId;
  }

  /** Seals something more for a customer. Throws `subject-closed` for one who was erased. */
  rectify(customerId: CustomerId): Promise<unknown> {
    const request = { owner: subjectOwner(customerId), category: 'contact', partition: newId() };
    return this.client.withSealing([{ ...request, stream: `customer-${customerId}` }], async () => undefined);
  }

  /** The customer's name, or the state that it reads in. Throws while the vault can't be asked. */
  async read(customerId: CustomerId): Promise<string> {
    await this.client.ready(5_000);
    const [registered] = await this.ledger.read(`customer-${customerId}`);
    const { name } = registered!.data as unknown as { name: { state: string; reveal?(): string } };
    return name.state === 'value' ? name.reveal!() : name.state;
  }

  /** As an erasure does it: fence, shred, close (unless something is retained), and the event. Gives the order's id. */
  async erase(customerId: CustomerId, { closing = true } = {}): Promise<string> {
    const owner = subjectOwner(customerId);
    const order = { orderId: randomUUID(), owner, kind: 'erasure' } as const;
    const { shredder } = this.house;
    const scopes = (await shredder.scopesOf(owner)).filter(({ state }) => state === 'live');
    await shredder.fence({ ...order, except: [] });
    const { destroyed } = await shredder.shred({ ...order, scopeIds: scopes.map(({ scopeId }) => scopeId) });
    if (closing) await shredder.closeForEver(owner, order.orderId);
    const categories = Object.fromEntries(destroyed.map(({ category }) => [category, 1]));
    await this.#append(
      `customer-${customerId}`,
      SubjectErased.of({ ownerId: customerId, ownerKind: 'subject', categories, retained: [] }),
    );
    return order.orderId;
  }

  /** Ends the epoch, and with it every root that an earlier copy opens under. */
  async sealAndDestroy(): Promise<DestructionReport> {
    await this.seal();
    return this.destroyRoots();
  }
  seal(): Promise<unknown> {
    return this.#operate((operations) => operations.sealEpoch({ force: true }));
  }
  destroyRoots(): Promise<DestructionReport> {
    return this.#operate((operations) => operations.destroyRoots());
  }
  epochs(): Promise<EpochsReport> {
    return this.#operate((operations) => operations.epochs());
  }
  clearing(orderId: string): Promise<Clearing | undefined> {
    return this.#operate((operations) => operations.clearing(orderId));
  }

  async checkpoint(): Promise<void> {
    const { store, witness, ledger, control } = this;
    await new Checkpoints(store, ledger, witness, new SigningKeys(control.pool), new SystemClock()).now();
  }

  async verifyLog(): Promise<LogVerification> {
    const { store, witness, control } = this;
    const witnessed = (await witness.standing()).checkpoint ?? null;
    return verifyLog({ store, keys: await new SigningKeys(control.pool).published(), witnessed });
  }

  /** Events that come into the log also while the gate is closed. */
  async grow(count: number): Promise<void> {
    for (let n = 0; n < count; n++)
      await this.#append('vault-ledger', ClockTrusted.of({ at: new Date().toISOString() }));
  }

  /** Accepts as the api does: what was accepted stands in the log afterwards. */
  async accept(report: LossReport): Promise<void> {
    await this.recovery.acceptLosses(report.hash);
    await this.claimAccepted(report);
  }
  /** The event alone. */
  async claimAccepted({ scopes, missingEvents, doubt }: LossReport): Promise<void> {
    const missing = { missingFrom: missingEvents?.from ?? null, missingTo: missingEvents?.to ?? null };
    await this.#append(
      LOSSES_STREAM,
      LossesAccepted.of({ lossId: randomUUID(), scopes, ...missing, doubt: doubt ?? null }),
    );
  }

  /** What the worker's job does once the gate is open. Gives the types of the customer's events then. */
  async recordReapplied(customerId: CustomerId): Promise<readonly string[]> {
    await this.client.ready(5_000);
    const recovery = new GrpcVaultRecovery(this.#addressOf('worker'));
    try {
      const record = new ReappliedRecord(this.ledger, recovery);
      await inContext(systemContext(newId<ActorId>()), () => record.bringUpToDate());
    } finally {
      recovery.close();
    }
    return (await this.store.read(`customer-${customerId}`)).map(({ type }) => type);
  }

  async stop(): Promise<void> {
    await this.house.stop();
  }
  async start(over: Partial<VaultServerOptions> = {}): Promise<RunningVault> {
    const running = await this.house.start({ log: new EventStoreDb(urlOf(this.node)), ...over });
    this.client = this.house.vaultOf('api', { patienceMs: 300 });
    return running;
  }

  async vaultNow(): Promise<Dump> {
    const dump = new Map<string, object[]>();
    for (const table of TABLES) {
      const rows = await this.house.sql(`select to_jsonb(t) as row from ${table} t`);
      dump.set(
        table,
        rows.map(({ row }) => row as object),
      );
    }
    return dump;
  }
  async putVaultBack(dump: Dump): Promise<void> {
    await this.emptyVault();
    for (const table of TABLES.toReversed())
      await this.house.sql(`insert into ${table} select * from jsonb_populate_recordset(null::${table}, $1::jsonb)`, [
        JSON.stringify(dump.get(table)),
      ]);
  }
  async emptyVault(): Promise<void> {
    for (const table of TABLES) await this.house.sql(`delete from ${table}`);
  }

  /** Copies the custodian's mirrors to a place of this name, or back. */
  async custodianTo(name: string): Promise<void> {
    await cp(join(this.house.directory, 'custodian'), join(this.house.directory, name), { recursive: true });
  }
  async custodianFrom(name: string): Promise<void> {
    await this.loseCustodian();
    await cp(join(this.house.directory, name), join(this.house.directory, 'custodian'), { recursive: true });
  }
  async loseCustodian(): Promise<void> {
    await rm(join(this.house.directory, 'custodian'), { recursive: true });
  }

  logNow(): Promise<readonly StoredEvent[]> {
    return this.store.forwards({ maxCount: 10_000 });
  }
  logAway(): AwayLog {
    return new AwayLog(urlOf(this.node));
  }
  /** Another event node with these events, appended in order under their ids: as a restore does it. */
  async putLogBack(events: readonly StoredEvent[]): Promise<void> {
    const before = { node: this.node, store: this.store };
    this.node = await startOwnNode();
    this.store = new EventStoreDb(urlOf(this.node));
    for (const { stream, ...event } of events) await this.store.append(stream, 'any', [event], 5_000);
    await before.store.close();
    await before.node.close();
  }

  async end(): Promise<void> {
    this.recovery.close();
    this.witness.close();
    await this.store.close();
    await this.house.end();
    await this.node.close();
    await this.control.drop();
  }

  async #operate<T>(work: (operations: GrpcVaultOperations) => Promise<T>): Promise<T> {
    const operations = new GrpcVaultOperations(this.#addressOf('worker'));
    try {
      return await work(operations);
    } finally {
      operations.close();
    }
  }
  #addressOf(name: string) {
    return { address: `127.0.0.1:${this.house.options.port}`, ...this.house.certificateOf(name) };
  }
  #append(stream: string, draft: Draft<any>) {
    const context = systemContext(newId<ActorId>());
    return inContext(context, () => this.ledger.append({ stream, expected: 'any', drafts: [draft] }));
  }
}
