import { randomUUID } from 'node:crypto';
import type { OwnerRef, ScopeId, SubjectId } from '#kernel';
import { isMakulerError, newId, subjectOwner } from '#kernel';
import type { ShredReceipt } from '#vault/shredder';
import type { Dice } from './kill-point.js';
import type { KilledVault } from './killed-vault.js';

const AD = new TextEncoder().encode('event');
/** As many as leave several buckets, and a check short. */
const PEOPLE = 12;
const ATTEMPTS = 20;

interface Sealed {
  readonly scopeId: ScopeId;
  readonly block: Uint8Array;
}

/** Somebody to whom one thing happens at a time. */
interface Person {
  readonly owner: OwnerRef;
  /** What was acknowledged and must open. */
  readonly alive: Sealed[];
  /** Partitions of keys that were asked for, and whose answer never came: there, or not. */
  readonly asked: string[];
  order: Order | undefined;
  closed: boolean;
}

/** An order that was begun and is not known to be finished. */
interface Order {
  readonly orderId: string;
  readonly kind: 'erasure' | 'expiry';
  doomed: readonly Sealed[];
  /** May have passed the point of no return. */
  sent: boolean;
}

const newPerson = (): Person => ({
  ...{ owner: subjectOwner(newId<SubjectId>()), alive: [], asked: [] },
  ...{ order: undefined, closed: false },
});

/** What was asked of a vault, what it acknowledged, and so what it must be, whenever it was killed. */
export class VaultHistory {
  #people: Person[] = [];
  /** Acknowledged as shredded, for ever. */
  readonly #gone: Sealed[] = [];
  readonly #closed: OwnerRef[] = [];
  readonly #receipts = new Map<string, { readonly owner: OwnerRef; readonly receipt: ShredReceipt }>();
  /** Bucket keys under which something was shredded, with the epoch in which they must end. */
  readonly #dead = new Map<string, number>();
  /** The latest epoch that was acknowledged, and the latest whose roots were acknowledged as destroyed. */
  #epoch = 1;
  #destroyed = 0;
  /** What last kept the vault from answering. */
  #outage: unknown;

  constructor(
    private readonly vault: KilledVault,
    private readonly dice: Dice,
  ) {}

  /** How many answers this rests on, for a look at whether anything happened at all. */
  get acknowledged(): number {
    const alive = this.#people.reduce((sum, person) => sum + person.alive.length, 0);
    return alive + this.#gone.length + this.#epoch - 1;
  }

  /** One to three things at the same time. Resolves with `false` when the vault went away during them. */
  async happen(): Promise<boolean> {
    const people = this.#some(1 + this.dice.below(3));
    const results = await Promise.allSettled(
      people.map((person) => {
        const happening = this.dice.below(10);
        if (happening < 1) return this.#seal(this.dice.below(2) === 0);
        if (happening < 2) return this.#destroyRoots();
        if (happening < 4 && person.alive.length > 0) return this.#shred(person, 'expiry');
        if (happening < 5 && person.alive.length > 0) return this.#shred(person, 'erasure');
        return this.#mint(person, newId());
      }),
    );
    return this.#allAnswered(results);
  }

  /**
   * Holds the vault against everything that it has acknowledged, and finishes what was interrupted; `thoroughly` ends seals and
   * destructions too. Resolves with `false` when the vault went away meanwhile.
   */
  async check({ thoroughly = false } = {}): Promise<boolean> {
    this.checkRoots(await this.vault.roots());
    const results = await Promise.allSettled([this.#checkAll(thoroughly)]);
    return this.#allAnswered(results);
  }

  /** With a vault that nobody kills: a busy machine may lose a lease, and then it is asked again. */
  async checkInPeace(): Promise<void> {
    for (let attempt = 1; !(await this.check({ thoroughly: true })); attempt++) {
      expect(this.vault.isRunning).toBe(true);
      if (attempt === ATTEMPTS) throw new Error('the vault stays unavailable', { cause: this.#outage });
    }
  }

  /** Nothing brings a destroyed root back, not even for the moment between a kill and the next start. */
  checkRoots(roots: readonly (readonly number[])[]): void {
    for (const epochs of roots) expect(epochs.filter((epoch) => epoch <= this.#destroyed)).toEqual([]);
  }

  async #checkAll(thoroughly: boolean): Promise<void> {
    for (const person of this.#people) await this.#settle(person);
    await this.#checkReads();
    await this.#checkReceipts();
    await this.#checkBuckets();
    for (const owner of this.#closed.slice(-3)) {
      const answer = await this.#ask(owner, newId()).catch((error: unknown) => error);
      if (isMakulerError(answer, 'vault-unavailable')) throw answer;
      expect(answer).toMatchObject({ code: 'subject-closed' });
    }
    const report = await this.vault.clients.operations.epochs();
    expect(report.current).toBeGreaterThanOrEqual(this.#epoch);
    expect(report.retiring.filter(({ epoch }) => epoch <= this.#destroyed)).toEqual([]);
    if (thoroughly) await this.#checkEnds();
    await this.#checkMirrors();
  }

  /** What a worker does that starts again: asks for the receipt, and goes on or gives up. */
  async #settle(person: Person): Promise<void> {
    const { shredder } = this.vault.clients;
    const { order, owner } = person;
    if (order) {
      const receipt = await shredder.receiptOf(order.orderId);
      const read = await this.#read(order.doomed);
      // All of it or nothing of it; and not before it was sent.
      for (const sealed of order.doomed)
        expect([sealed.scopeId, read.get(sealed.scopeId)]).toEqual([
          sealed.scopeId,
          receipt ? 'shredded' : sealed.scopeId,
        ]);
      if (!order.sent) expect(receipt).toBeUndefined();
      if (receipt || this.dice.below(2) === 0) await this.#carryOut(person, order, receipt);
      else {
        await shredder.release(owner, order.orderId);
        person.order = undefined;
      }
    }
    while (person.asked.length > 0 && !person.closed) await this.#mint(person, person.asked.at(-1)!);
  }

  async #checkReads(): Promise<void> {
    const alive = this.#people.flatMap((person) => person.alive);
    const read = await this.#read([...alive, ...this.#gone]);
    for (const { scopeId } of alive) expect([scopeId, read.get(scopeId)]).toEqual([scopeId, scopeId]);
    for (const { scopeId } of this.#gone) expect([scopeId, read.get(scopeId)]).toEqual([scopeId, 'shredded']);
  }

  /** Each order has its one receipt, however often it is asked for or sent again. */
  async #checkReceipts(): Promise<void> {
    const { shredder } = this.vault.clients;
    for (const [orderId, { receipt, owner }] of [...this.#receipts].slice(-8)) {
      expect(await shredder.receiptOf(orderId)).toEqual(receipt);
      expect(await shredder.shred({ orderId, owner, scopeIds: [], kind: 'expiry' })).toEqual(receipt);
    }
  }

  /** No bucket key under which something was shredded reaches a later epoch. */
  async #checkBuckets(): Promise<void> {
    const rows = await this.vault.house.sql('select bucket_id, generation, epoch, dirty from bucket');
    for (const { bucket_id: id, generation, epoch, dirty } of rows) {
      const name = `${String(id)}/${String(generation)}`;
      const died = this.#dead.get(name);
      if (died !== undefined) expect([name, epoch]).toEqual([name, died]);
      else if (dirty) this.#dead.set(name, epoch as number);
    }
  }

  /** What was begun ends: one epoch is left, with its root at each mirror. */
  async #checkEnds(): Promise<void> {
    const { operations } = this.vault.clients;
    await this.#seal(false);
    await this.#destroyRoots();
    const { current, sealing, retiring } = await operations.epochs();
    expect({ sealing, retiring }).toEqual({ sealing: false, retiring: [] });
    // The root of an epoch that was never begun may lie there: the next seal takes it.
    for (const epochs of await this.vault.roots())
      expect(epochs).toEqual(epochs.length > 1 ? [current, current + 1] : [current]);
    const [row] = await this.vault.house.sql(
      'select coalesce((select min(epoch) from bucket), $1) as lowest, array(select distinct epoch from epoch_key) as wraps',
      [current],
    );
    expect(row).toEqual({ lowest: current, wraps: [current] });
  }

  /** Both are there and hold the same, as soon as nothing is being written. */
  async #checkMirrors(): Promise<void> {
    const mirrors = await this.vault.clients.operations.mirrors();
    expect(mirrors.map(({ standing, message }) => [standing, message])).toEqual([
      ['present', undefined],
      ['present', undefined],
    ]);
    for (let attempt = 0; ; attempt++) {
      const [[a, b], beside] = [await this.vault.states(), await this.vault.leftovers()];
      // Two readings of something that may be written in between: the journal is tidied a moment after a shred.
      if (attempt < 100 && (a !== b || beside.length > 0)) await new Promise((resolve) => setTimeout(resolve, 20));
      else return expect([a, beside]).toEqual([b, []]);
    }
  }

  async #mint(person: Person, partition: string): Promise<void> {
    if (!person.asked.includes(partition)) person.asked.push(partition);
    person.alive.push(await this.#ask(person.owner, partition));
    person.asked.splice(person.asked.indexOf(partition), 1);
  }
  #ask(owner: OwnerRef, partition: string): Promise<Sealed> {
    const request = { owner, category: 'contact', partition, stream: `customer-${owner.id}` };
    return this.vault.clients.vault.withSealing([request], async ({ keys: [key], seal }) => ({
      scopeId: key!.scopeId,
      block: seal(key!, new TextEncoder().encode(key!.scopeId), AD),
    }));
  }

  async #shred(person: Person, kind: Order['kind']): Promise<void> {
    const doomed = kind === 'expiry' ? person.alive.slice(0, 1) : [...person.alive];
    person.order = { orderId: randomUUID(), kind, doomed, sent: false };
    await this.#carryOut(person, person.order, undefined);
  }

  /** As the worker does it; every step may be one that was taken already. */
  async #carryOut(person: Person, order: Order, known: ShredReceipt | undefined): Promise<void> {
    const { shredder } = this.vault.clients;
    const { owner } = person;
    const { orderId, kind, doomed } = order;
    await shredder.fence({ orderId, owner, kind, except: [] });
    order.sent = true;
    const scopeIds = doomed.map(({ scopeId }) => scopeId);
    const receipt = await shredder.shred({ orderId, owner, scopeIds, kind });
    if (known) expect(receipt).toEqual(known);
    expect(receipt.destroyed).toHaveLength(doomed.length);
    if (!this.#receipts.has(orderId)) {
      this.#receipts.set(orderId, { owner, receipt });
      this.#gone.push(...doomed);
      person.alive.splice(0, person.alive.length, ...person.alive.filter((sealed) => !doomed.includes(sealed)));
    }
    if (kind === 'erasure') await shredder.closeForEver(owner, orderId);
    else await shredder.release(owner, orderId);
    person.order = undefined;
    if (kind === 'erasure') {
      person.closed = true;
      this.#closed.push(owner);
    }
  }

  async #seal(force: boolean): Promise<void> {
    const report = await this.vault.clients.operations.sealEpoch({ force });
    expect(report.epoch).toBeGreaterThanOrEqual(this.#epoch);
    this.#epoch = Math.max(this.#epoch, report.epoch);
  }
  /** Of every epoch that was sealed: the window is 0. */
  async #destroyRoots(): Promise<void> {
    const { destroyed, outstanding } = await this.vault.clients.operations.destroyRoots();
    expect(outstanding).toEqual([]);
    this.#destroyed = Math.max(this.#destroyed, ...destroyed);
  }

  /** What each reads as: its own id, which is what was sealed, or the state. */
  async #read(sealed: readonly Sealed[]): Promise<ReadonlyMap<ScopeId, string>> {
    const { vault } = this.vault.clients;
    await vault.ready(2_000);
    const keys = await vault.openingKeys(sealed.map(({ scopeId }) => scopeId));
    return new Map(
      sealed.map(({ scopeId, block }) => {
        const found = keys.get(scopeId)!;
        return [
          scopeId,
          found.state === 'live' ? Buffer.from(vault.open(found.key, block, AD)).toString() : found.state,
        ];
      }),
    );
  }

  /** Different people who have nothing unfinished; whoever is closed is replaced. */
  #some(count: number): readonly Person[] {
    this.#people = this.#people.filter(({ closed }) => !closed);
    while (this.#people.length < PEOPLE) this.#people.push(newPerson());
    const free = this.#people.filter(({ order, asked }) => !order && asked.length === 0);
    return Array.from({ length: Math.min(count, free.length) }, () => free.splice(this.dice.below(free.length), 1)[0]!);
  }

  /** Throws whatever is no outage. */
  #allAnswered(results: readonly PromiseSettledResult<unknown>[]): boolean {
    const failed = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    for (const error of failed) if (!isMakulerError(error, 'vault-unavailable')) throw error;
    this.#outage = failed[0];
    return failed.length === 0;
  }
}
