import { randomUUID } from 'node:crypto';
import { access, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OwnerRef, ScopeId } from '#kernel';
import { MakulerError, SystemClock } from '#kernel';
import type { Pool } from '#postgres';
import { createPool } from '#postgres';
import { testDatabase } from '#testing';
import type { GateRefusal } from '#vault/keeper';
import { CustodianMirrors, FileCustodian, Keeper, LogWitness } from '#vault/keeper';
import type { Held } from './mortal.js';
import { Life } from './mortal.js';
import { VaultCopies } from './vault-copies.js';

/** Short: with no process holding a lease, all that waits for it is the first shred after a restart. */
const LEASE_MS = 60;

const isThere = (directory: string) =>
  access(directory).then(
    () => true,
    () => false,
  );

/** A log in which nothing was written yet. */
class EmptyLog extends LogWitness {
  /** How often it still does not answer. */
  awayFor = 0;
  async testify() {
    if (this.awayFor > 0) {
      this.awayFor--;
      throw new MakulerError('store-unavailable');
    }
    return { checkpoints: [], headSequence: 0, incarnations: new Map<string, number>(), forgot: [] };
  }
  async *sealedScopes() {}
}

/** The system's clock, ahead by as much as a test wants. */
class AheadClock extends SystemClock {
  aheadMs = 0;
  override now(): Date {
    return new Date(super.now().getTime() + this.aheadMs);
  }
}

export interface MintedScope {
  readonly scopeId: ScopeId;
  /** Hex. */
  readonly key: string;
}
/** What a scope reads as: its key (hex), or the state. */
export type Read = string;

/** A keeper in this process, over a real database and real custodian directories, that can be killed at any step. */
export class KeeperHouse {
  readonly clock = new AheadClock();
  readonly log = new EmptyLog();
  /** Refusals of a keeper that had been serving. */
  readonly refusals: GateRefusal[] = [];
  windowMs = 0;
  leaseMs = LEASE_MS;
  #life = new Life();
  #next: Life | undefined;
  #keeper: Keeper | undefined;
  readonly #copies: VaultCopies;
  #pool: Pool | undefined;

  private constructor(
    private readonly directory: string,
    private readonly database: Awaited<ReturnType<typeof testDatabase>>,
    private readonly outside: Pool,
  ) {
    this.#copies = new VaultCopies(outside);
  }

  static async build(): Promise<KeeperHouse> {
    const database = await testDatabase();
    const outside = createPool(database.url, { name: 'spec', max: 3 });
    const house = new KeeperHouse(await mkdtemp(join(tmpdir(), 'makuler-keeper-')), database, outside);
    await house.start();
    return house;
  }

  get keeper(): Keeper {
    return this.#keeper!;
  }
  get copies(): VaultCopies {
    return this.#copies;
  }
  get life(): Life {
    return this.#life;
  }
  get mirrors(): readonly string[] {
    return ['a', 'b'].map((name) => join(this.directory, 'custodian', name));
  }

  /** Throws what `Keeper.start` throws; the process is over then. */
  async start(): Promise<void> {
    this.#life = this.#next ?? new Life();
    this.#next = undefined;
    const pool = createPool(this.database.url, { name: 'keeper' });
    this.#pool = pool;
    const custodians = this.mirrors.map((directory) => this.#life.custodian(new FileCustodian(directory)));
    try {
      this.#keeper = await Keeper.start({
        pool: this.#life.pool(pool),
        custodian: new CustodianMirrors(custodians),
        log: this.log,
        clock: this.clock,
        leaseMs: this.leaseMs,
        epochWindowMs: this.windowMs,
        sealEveryMs: 86_400_000,
        onRefused: (refusal) => this.refusals.push(refusal),
      });
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Ends the process, cleanly if it lives. */
  async stop(): Promise<void> {
    await this.#keeper?.stop();
    this.#keeper = undefined;
    await this.#pool?.end();
    this.#pool = undefined;
  }
  async kill(): Promise<void> {
    this.#life.die();
    await this.stop();
  }
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async mint(owner: OwnerRef, category = 'contact', partition = ''): Promise<MintedScope> {
    const { outcomes } = await this.keeper.mint([[{ owner, category, partition, stream: `customer-${owner.id}` }]]);
    const [outcome] = outcomes;
    if (!outcome || 'refused' in outcome) throw outcome?.refused ?? new Error('no outcome');
    return { scopeId: outcome.keys[0]!.scopeId, key: Buffer.from(outcome.keys[0]!.dataKey).toString('hex') };
  }
  /** What each scope reads as. */
  async read(scopeIds: readonly ScopeId[]): Promise<ReadonlyMap<ScopeId, Read>> {
    const found = await this.keeper.lookUp(scopeIds);
    return new Map(
      [...found].map(([scopeId, looked]) => [
        scopeId,
        looked.state === 'live' ? Buffer.from(looked.record.subarray(0, 32)).toString('hex') : looked.state,
      ]),
    );
  }
  /** Carries an order out as a worker does, behind a fence of its own. Gives the order's id. */
  async shred(
    owner: OwnerRef,
    scopeIds: readonly ScopeId[],
    kind: 'erasure' | 'expiry' = 'erasure',
    orderId: string = randomUUID(),
  ): Promise<string> {
    await this.keeper.fence({ orderId, owner, kind, except: [] });
    await this.keeper.shred({ orderId, owner, scopeIds, kind });
    await this.keeper.release(owner, orderId);
    return orderId;
  }

  /** Stops a query of the start that comes. */
  holdNextStart(part: string, when: 'before' | 'after'): Held {
    return (this.#next = new Life()).hold(part, when);
  }
  /** Locks a row as another session; gives what lets go of it. */
  async lock(text: string, values: readonly unknown[]): Promise<() => Promise<void>> {
    const client = await this.outside.connect();
    await client.query('begin');
    await client.query(text, [...values]);
    return async () => {
      await client.query('rollback');
      client.release();
    };
  }
  /** What the first mirror has on disk. */
  async state() {
    return (await new FileCustodian(this.mirrors[0]!).readState())!;
  }

  async sql<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.outside.query(text, [...values])).rows as Row[];
  }
  /** Epochs whose root lies at each mirror that is there. */
  async roots(): Promise<(readonly number[])[]> {
    const there = await Promise.all(this.mirrors.map(async (mirror) => ((await isThere(mirror)) ? [mirror] : [])));
    return Promise.all(there.flat().map((mirror) => this.rootsAt(mirror)));
  }
  async rootsAt(mirror: string): Promise<readonly number[]> {
    const names = await readdir(mirror);
    return names
      .flatMap((name) => /^root-(\d+)\.key$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  }
  /** Takes the place of a mirror away, as a volume that is not mounted; gives what brings it back. */
  async unmount(mirror: string): Promise<() => Promise<void>> {
    await rename(mirror, `${mirror}.away`);
    return () => rename(`${mirror}.away`, mirror);
  }

  async end(): Promise<void> {
    await this.stop();
    await this.outside.end();
    await this.database.drop();
    await rm(this.directory, { recursive: true, force: true });
  }
}
