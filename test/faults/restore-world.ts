import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GENESIS, linked } from '#chain';
import { ScopeExpired, SubjectErased } from '#events';
import type { EventId, OwnerRef, ScopeId, SubjectId } from '#kernel';
import { newId, subjectOwner, SystemClock } from '#kernel';
import type { EventToStore, StoredEvent } from '#ledger';
import type { Pool } from '#postgres';
import { createPool } from '#postgres';
import { EventStoreDouble, testDatabase } from '#testing';
import { CustodianMirrors, FileCustodian, GateRefusal, Keeper } from '#vault/keeper';
import { EventLogWitness } from '../../apps/vault/src/event-log-witness.js';
import { copyTree } from './copy-tree.js';
import { VaultCopies } from './vault-copies.js';

/** What may happen between two moments. `shred` and `say` are an erasure, up to and from where a crash leaves the log without a word of it. */
export type Step = 'register' | 'shred' | 'say' | 'expire' | 'seal' | 'destroy' | 'checkpoint';

/** A key that was made, and what became of it; moments are numbers of steps. */
interface KnownScope {
  readonly owner: OwnerRef;
  readonly scopeId: ScopeId;
  readonly category: string;
  /** Hex. */
  readonly key: string;
  /** How many events the log had when this one's stood in it. */
  readonly inLogFrom: number;
  shreddedAt?: number;
  /** From how many events on the log says so. */
  saidFrom?: number;
}

/** From which moment each store is. */
export interface Combination {
  readonly log: number;
  readonly vault: number;
  readonly custodian: number;
  /** From which moment the second mirror is, where that is another. */
  readonly elsewhere?: number;
}

/** What a vault does that was started on such stores. */
export type Outcome =
  | { readonly is: 'refused'; readonly state: string; readonly why: string; readonly wayOut: string }
  | { readonly is: 'serving'; readonly gate: string; readonly wrong: readonly string[]; readonly brought: number };

interface Moment {
  readonly events: number;
  readonly vault: string;
  readonly custodian: string;
}

const LEASE_MS = 60;
const LONG_MS = 30 * 86_400_000;

/**
 * A vault with its custodian and its log, each of which is kept as it was at every moment of a history, and can be put back
 * from any of them. The keeper, its database and the custodian's files are real; the log is a list, which is all that a
 * restored log is: a beginning of itself.
 */
export class RestoreWorld {
  readonly #events: StoredEvent[] = [];
  readonly #scopes: KnownScope[] = [];
  readonly #moments: Moment[] = [];
  /** Owners who were shredded and not yet named in the log. */
  readonly #unsaid: { owner: OwnerRef; orderId: string; count: number }[] = [];
  #running: Keeper | undefined;
  #pool: Pool | undefined;

  private constructor(
    private readonly directory: string,
    private readonly database: Awaited<ReturnType<typeof testDatabase>>,
    private readonly outside: Pool,
    private readonly copies: VaultCopies,
    private readonly windowMs: number,
  ) {}

  /** Lives through a history, and keeps every store as it was after each step of it. */
  static async after(history: readonly Step[], window: 'none' | 'long'): Promise<RestoreWorld> {
    const database = await testDatabase();
    const outside = createPool(database.url, { name: 'spec', max: 2 });
    const directory = await mkdtemp(join(tmpdir(), 'makuler-restore-'));
    const copies = new VaultCopies(outside);
    const world = new RestoreWorld(directory, database, outside, copies, window === 'none' ? 0 : LONG_MS);
    await world.#start(Infinity);
    for (const step of history) {
      await world.#take(step);
      await world.#keep();
    }
    await world.#stop();
    return world;
  }

  get moments(): number {
    return this.#moments.length;
  }
  get now(): number {
    return this.#moments.length - 1;
  }
  /** The first moment at which somebody was shredded. */
  get firstShred(): number {
    return Math.min(...this.#scopes.map(({ shreddedAt }) => shreddedAt ?? Infinity));
  }

  /** Puts each store back to its moment, starts a vault on them, and tells what it does. */
  async restored(combination: Combination): Promise<Outcome> {
    const moment = (at: number) => this.#moments[at]!;
    await this.copies.putBack(moment(combination.vault).vault);
    await rm(this.#custodian, { recursive: true });
    const { custodian, elsewhere = custodian } = combination;
    for (const [name, at] of [['a', custodian] as const, ['b', elsewhere] as const])
      await copyTree(join(moment(at).custodian, name), join(this.#custodian, name));
    try {
      await this.#start(moment(combination.log).events);
      const { gate } = this.#keeper;
      if ('wayOut' in gate) return { is: 'refused', state: gate.state, why: gate.why, wayOut: gate.wayOut };
      return { is: 'serving', gate: gate.state, ...(await this.#look(combination)) };
    } catch (error) {
      if (!(error instanceof GateRefusal)) throw error;
      return { is: 'refused', state: error.reason, why: error.message, wayOut: error.message };
    } finally {
      await this.#stop();
    }
  }

  async end(): Promise<void> {
    await this.outside.end();
    await this.database.drop();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Everything that reads otherwise than it must, and how many forgotten scopes were read as they must. */
  async #look(from: Combination): Promise<{ wrong: readonly string[]; brought: number }> {
    const events = this.#moments[from.log]!.events;
    const inLog = this.#scopes.filter(({ inLogFrom }) => inLogFrom <= events);
    const looked = await this.#keeper.lookUp(inLog.map(({ scopeId }) => scopeId));
    const wrong: string[] = [];
    let brought = 0;
    for (const scope of inLog) {
      const found = looked.get(scope.scopeId)!;
      const read = found.state === 'live' ? Buffer.from(found.record.subarray(0, 32)).toString('hex') : found.state;
      if (!this.#isKnown(scope, from)) {
        if (read !== scope.key) wrong.push(`a living scope reads as ${found.state}`);
        continue;
      }
      brought++;
      if (found.state !== 'erased' && found.state !== 'expired')
        wrong.push(`a forgotten scope reads as ${found.state}`);
      else if (await this.#isMintedAgain(scope)) wrong.push('a forgotten scope is made again');
    }
    return { wrong, brought };
  }

  /** Whether any of the three stores is from after the shred: only if none is can nobody know of it. */
  #isKnown(
    { shreddedAt = Infinity, saidFrom = Infinity }: KnownScope,
    { log, vault, custodian, elsewhere = custodian }: Combination,
  ): boolean {
    return Math.max(vault, custodian, elsewhere) >= shreddedAt || this.#moments[log]!.events >= saidFrom;
  }

  async #isMintedAgain({ owner, category }: KnownScope): Promise<boolean> {
    const { outcomes } = await this.#keeper.mint([
      [{ owner, category, partition: '', stream: `customer-${owner.id}` }],
    ]);
    return !('refused' in outcomes[0]!);
  }

  async #take(step: Step): Promise<void> {
    switch (step) {
      case 'register':
        return this.#register();
      case 'shred':
        return this.#shred();
      case 'say':
        return this.#say();
      case 'expire':
        return this.#expire();
      case 'seal':
        return void (await this.#keeper.sealEpoch(false));
      case 'destroy':
        return void (await this.#keeper.destroyRoots());
      case 'checkpoint':
        return this.#checkpoint();
    }
  }

  /** Somebody with a card and a purchase. */
  async #register(): Promise<void> {
    const owner = subjectOwner(newId<SubjectId>());
    const streams = { contact: `customer-${owner.id}`, purchase: `purchase-${randomUUID()}` };
    for (const [category, stream] of Object.entries(streams)) {
      const { outcomes } = await this.#keeper.mint([[{ owner, category, partition: '', stream }]]);
      const [outcome] = outcomes;
      if (!outcome || 'refused' in outcome) throw outcome?.refused ?? new Error('no outcome');
      const { scopeId, dataKey } = outcome.keys[0]!;
      const vault = { incarnation: this.#keeper.incarnation, mintSequence: outcome.mintSequence };
      this.#append(stream, { type: 'it.happened', data: { $sealed: { [scopeId]: '' } }, metadata: { vault } });
      const key = Buffer.from(dataKey).toString('hex');
      this.#scopes.push({ owner, scopeId, category, key, inLogFrom: this.#events.length });
    }
  }

  async #shred(): Promise<void> {
    const theirs = this.#livingOf(this.#scopes.find(({ shreddedAt }) => shreddedAt === undefined)?.owner);
    const [first] = theirs;
    if (!first) return;
    const { owner } = first;
    const orderId = randomUUID();
    await this.#order(orderId, 'erasure', theirs);
    this.#unsaid.push({ owner, orderId, count: theirs.length });
  }

  async #say(): Promise<void> {
    const unsaid = this.#unsaid.shift();
    if (!unsaid) return;
    const { owner, orderId, count } = unsaid;
    await this.#keeper.closeForEver(owner, orderId);
    const data = { ownerId: owner.id, ownerKind: owner.kind, categories: { contact: count }, retained: [] };
    this.#append(`customer-${owner.id}`, { type: SubjectErased.type, data, metadata: {} });
    for (const scope of this.#scopes) if (scope.owner.id === owner.id) scope.saidFrom ??= this.#events.length;
  }

  /** The purchase of whoever came last, at its maximum. */
  async #expire(): Promise<void> {
    const last = this.#scopes.findLast(
      ({ category, shreddedAt }) => category === 'purchase' && shreddedAt === undefined,
    );
    if (!last) return;
    const { owner, category } = last;
    const orderId = randomUUID();
    await this.#order(orderId, 'expiry', [last]);
    await this.#keeper.release(owner, orderId);
    const data = { ownerId: owner.id, ownerKind: owner.kind, category, count: 1 };
    this.#append(`customer-${owner.id}`, { type: ScopeExpired.type, data, metadata: {} });
    last.saidFrom = this.#events.length;
  }

  async #order(orderId: string, kind: 'erasure' | 'expiry', scopes: readonly KnownScope[]): Promise<void> {
    const { owner } = scopes[0]!;
    await this.#keeper.fence({ orderId, owner, kind, except: [] });
    await this.#keeper.shred({ orderId, owner, scopeIds: scopes.map(({ scopeId }) => scopeId), kind });
    for (const scope of scopes) scope.shreddedAt = this.#moments.length;
  }

  #livingOf(owner: OwnerRef | undefined): KnownScope[] {
    return this.#scopes.filter((scope) => scope.owner.id === owner?.id && scope.shreddedAt === undefined);
  }

  /** As the worker's job makes one; the gate leaves the signature to `verify-log`. */
  async #checkpoint(): Promise<void> {
    const { installation, incarnation, mintSequence, custodianNumber, epoch } = await this.#keeper.standing();
    const { sequence, link } = this.#events.reduce((point, event) => linked(point, event), GENESIS);
    const said = {
      ...{ position: String(sequence), at: new Date().toISOString(), signature: 'left.to.verify-log' },
      incarnation,
    };
    const data = { ...said, sequence, link, installation, mintSequence, custodianNumber, epoch };
    this.#append('vault-ledger', { type: 'log.checkpointed', data, metadata: {} });
    await this.#keeper.witness({ ...said, sequence: String(sequence), hash: link, mintSequence: String(mintSequence) });
  }

  #append(stream: string, event: Omit<EventToStore, 'id'>): void {
    const position = BigInt(this.#events.length + 1);
    this.#events.push({ ...event, id: newId<EventId>(), stream, revision: 0n, position });
  }

  async #keep(): Promise<void> {
    const custodian = join(this.directory, `custodian-${this.#moments.length}`);
    await copyTree(this.#custodian, custodian);
    this.#moments.push({ events: this.#events.length, vault: await this.copies.take(), custodian });
  }

  get #keeper(): Keeper {
    return this.#running!;
  }
  get #custodian(): string {
    return join(this.directory, 'custodian');
  }

  async #start(events: number): Promise<void> {
    const log = new EventStoreDouble();
    for (const { stream, id, type, data, metadata } of this.#events.slice(0, events))
      await log.append(stream, 'any', [{ id, type, data, metadata }]);
    const pool = createPool(this.database.url, { name: 'keeper' });
    this.#pool = pool;
    const mirrors = ['a', 'b'].map((name) => new FileCustodian(join(this.#custodian, name)));
    this.#running = await Keeper.start({
      ...{ pool, custodian: new CustodianMirrors(mirrors), log: new EventLogWitness(log) },
      ...{ clock: new SystemClock(), leaseMs: LEASE_MS, epochWindowMs: this.windowMs, sealEveryMs: 86_400_000 },
      onRefused: () => undefined,
    });
  }

  async #stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
    await this.#pool?.end();
    this.#pool = undefined;
  }
}
