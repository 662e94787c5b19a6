import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OwnerRef, ScopeId, SubjectId } from '#kernel';
import { newId, subjectOwner } from '#kernel';
import { KeeperHouse } from './keeper-house.js';
import { SealWitness } from './seal-witness.js';

type Exception = { readonly category: string; readonly partition: string };

/** What may happen to a vault. `who` picks one of three persons; one that is closed for ever comes back as somebody else. */
export type Happening =
  | { readonly happens: 'mint'; readonly who: number; readonly what: Exception }
  | { readonly happens: 'expire'; readonly who: number }
  | { readonly happens: 'erase'; readonly who: number; readonly except: readonly Exception[]; readonly close: boolean }
  | { readonly happens: 'fence'; readonly who: number; readonly except: readonly Exception[] }
  | { readonly happens: 'release'; readonly who: number }
  | { readonly happens: 'seal'; readonly force: boolean }
  | { readonly happens: 'destroy roots' }
  | { readonly happens: 'window passes' }
  | { readonly happens: 'restart' }
  /** The process dies so many steps from now, in whatever it is doing then. */
  | { readonly happens: 'death'; readonly inSteps: number }
  | { readonly happens: 'mirror goes or comes' };

interface KnownScope extends Exception {
  readonly scopeId: ScopeId;
  readonly key: string;
  state: 'live' | 'expired' | 'erased';
}

interface Person {
  readonly owner: OwnerRef;
  state: 'open' | 'fenced' | 'erasing' | 'closed';
  fence: string | undefined;
  except: readonly Exception[];
  readonly scopes: KnownScope[];
}

const newPerson = (): Person => ({
  owner: subjectOwner(newId<SubjectId>()),
  ...{ state: 'open', fence: undefined, except: [], scopes: [] },
});
const isNamed = (names: readonly Exception[], { category, partition }: Exception) =>
  names.some((name) => name.category === category && name.partition === partition);

const WINDOW_MS = 3_600_000;

/** A vault and what it must be after everything that has happened to it, in the simplest words. */
export class EpochHistory {
  readonly #people = [newPerson(), newPerson(), newPerson()];
  readonly #past: Person[] = [];
  readonly #orders: string[] = [];
  /** The epoch in which a shredded scope's bucket lay. */
  readonly #shreddedIn = new Map<ScopeId, number>();
  #bringBack: (() => Promise<void>) | undefined;

  private constructor(
    private readonly house: KeeperHouse,
    private readonly witness: SealWitness,
  ) {}

  static async begin(): Promise<EpochHistory> {
    const house = await KeeperHouse.build();
    house.windowMs = WINDOW_MS;
    await house.restart();
    return new EpochHistory(house, new SealWitness(house));
  }
  async end(): Promise<void> {
    await this.house.end();
  }

  async happen(happening: Happening): Promise<void> {
    switch (happening.happens) {
      case 'mint':
        return this.#mint(this.#person(happening.who), happening.what);
      case 'expire': {
        const person = this.#person(happening.who);
        const [first] = person.scopes.filter(({ state }) => state === 'live');
        // An expiry waits while an erasure is being prepared.
        if (first && person.state !== 'fenced') await this.#shred(person, [first], 'expiry', []);
        return;
      }
      case 'erase':
        return this.#erase(this.#person(happening.who), happening.except, happening.close);
      case 'fence':
        return this.#fence(this.#person(happening.who), happening.except);
      case 'release':
        return this.#release(this.#person(happening.who));
      case 'seal':
        await this.#insist(() => this.house.keeper.sealEpoch(happening.force));
        return this.check();
      case 'destroy roots':
        await this.#insist(() => this.house.keeper.destroyRoots());
        return this.check();
      case 'window passes':
        this.house.clock.aheadMs += WINDOW_MS;
        return;
      case 'restart':
        await this.house.restart();
        return this.check();
      case 'death':
        this.house.life.dieAfter(happening.inSteps);
        return;
      case 'mirror goes or comes':
        if (this.#bringBack) await this.#bringBack();
        this.#bringBack = this.#bringBack ? undefined : await this.house.unmount(this.house.mirrors[1]!);
    }
  }

  /** Nobody is back, nobody is lost, and nothing says that it is over before it is. */
  async check(): Promise<void> {
    await this.#alive();
    const scopes = [...this.#past, ...this.#people].flatMap((person) => person.scopes);
    const read = await this.#insist(() => this.house.read(scopes.map(({ scopeId }) => scopeId)));
    for (const { scopeId, state, key } of scopes)
      expect([scopeId, read.get(scopeId)]).toEqual([scopeId, state === 'live' ? key : state]);
    await this.#insist(() => this.witness.check());
    await this.#checkJournal();
    await this.#checkClearings();
  }

  /** All is well in the end: the mirrors are back, everything is sealed, and every root but the last is gone. */
  async finish(): Promise<void> {
    await this.#alive();
    if (this.#bringBack) await this.#bringBack();
    this.#bringBack = undefined;
    await this.house.restart();
    await this.house.keeper.sealEpoch(true);
    this.house.clock.aheadMs += WINDOW_MS;
    expect((await this.house.keeper.destroyRoots()).outstanding).toEqual([]);
    await this.check();
    const { current } = await this.house.keeper.epochs();
    await this.witness.checkSealed(current);
    expect(await this.house.roots()).toEqual([[current], [current]]);
    for (const orderId of this.#orders)
      expect((await this.house.keeper.clearing(orderId, 0))?.clearedAt).toEqual(expect.any(String));
  }

  /** While a root exists under which a scope lay, the journal shreds it again, whatever is restored. */
  async #checkJournal(): Promise<void> {
    const oldest = await this.#oldestRoot();
    const state = JSON.parse(
      (await readFile(join(this.house.mirrors[0]!, 'custodian.state'), 'utf8')).split('\n')[1]!,
    ) as { pending: { entries: [ScopeId][] }[]; shredded: [ScopeId][] };
    const journaled = new Set(
      [...state.pending.flatMap(({ entries }) => entries), ...state.shredded].map(([id]) => id),
    );
    for (const [scopeId, epoch] of this.#shreddedIn)
      if (epoch >= oldest) expect([scopeId, journaled.has(scopeId)]).toEqual([scopeId, true]);
  }

  async #checkClearings(): Promise<void> {
    const oldest = await this.#oldestRoot();
    for (const orderId of this.#orders) {
      const clearing = await this.#insist(() => this.house.keeper.clearing(orderId, 0));
      if (clearing?.clearedAt !== undefined && clearing.epoch >= oldest)
        expect(clearing).toEqual(`not cleared: a root of epoch ${oldest} exists`);
    }
  }

  /** On any mirror, one that is away included. */
  async #oldestRoot(): Promise<number> {
    const away = this.#bringBack ? await this.house.rootsAt(`${this.house.mirrors[1]!}.away`) : [];
    return Math.min(...(await this.house.roots()).flat(), ...away);
  }

  #person(who: number): Person {
    const person = this.#people[who]!;
    if (person.state !== 'closed') return person;
    this.#past.push(person);
    return (this.#people[who] = newPerson());
  }

  async #mint(person: Person, what: Exception): Promise<void> {
    const known = person.scopes.find((scope) => isNamed([scope], what));
    const open = person.state === 'open' || isNamed(person.except, what);
    const minting = this.#insist(() => this.house.mint(person.owner, what.category, what.partition));
    if (!open) return expect(minting).rejects.toMatchObject({ code: 'subject-closed' });
    if (known && known.state !== 'live') return expect(minting).rejects.toMatchObject({ code: 'scope-shredded' });
    const { scopeId, key } = await minting;
    if (known) expect([scopeId, key]).toEqual([known.scopeId, known.key]);
    else person.scopes.push({ ...what, scopeId, key, state: 'live' });
  }

  async #fence(person: Person, except: readonly Exception[]): Promise<void> {
    // Of somebody whom an erasure has closed the exceptions stay, and rest while a fence is up: not looked at here.
    if (person.state === 'erasing') return;
    const orderId = randomUUID();
    await this.#insist(() => this.house.keeper.fence({ orderId, owner: person.owner, kind: 'erasure', except }));
    Object.assign(person, { state: 'fenced', fence: orderId, except });
  }

  async #release(person: Person): Promise<void> {
    const { fence } = person;
    if (person.state !== 'fenced' || fence === undefined) return;
    await this.#insist(() => this.house.keeper.release(person.owner, fence));
    Object.assign(person, { state: 'open', fence: undefined, except: [] });
  }

  async #erase(person: Person, except: readonly Exception[], close: boolean): Promise<void> {
    const doomed = person.scopes.filter((scope) => scope.state === 'live' && !isNamed(except, scope));
    const orderId = await this.#shred(person, doomed, 'erasure', except);
    if (orderId === undefined || !close || person.scopes.some(({ state }) => state === 'live')) return;
    await this.#insist(() => this.house.keeper.closeForEver(person.owner, orderId));
    person.state = 'closed';
    for (const scope of person.scopes) scope.state = 'erased';
    await this.witness.note([]);
  }

  /** Gives the order, or `undefined` when the process died before the point of no return: then nothing has happened. */
  async #shred(
    person: Person,
    doomed: readonly KnownScope[],
    kind: 'erasure' | 'expiry',
    except: readonly Exception[],
  ): Promise<string | undefined> {
    const orderId = randomUUID();
    const { owner } = person;
    const scopeIds = doomed.map(({ scopeId }) => scopeId);
    await this.#insist(() => this.house.keeper.fence({ orderId, owner, kind, except }));
    if (kind === 'erasure' && person.state !== 'erasing')
      Object.assign(person, { state: 'fenced', fence: orderId, except });
    // A tombstone does not say any more in which bucket it lay, and all of an owner's lie in one. Asked before: a seal that a
    // death interrupts moves the bucket on by itself.
    const [lay] = await this.house.sql<{ epoch: number }>(
      'select max(epoch) as epoch from bucket join owner_bucket using (bucket_id) where owner_id = $1',
      [owner.id],
    );
    const shredded = await this.#attempt(() => this.house.keeper.shred({ orderId, owner, scopeIds, kind }));
    const receipt = shredded ?? (await this.#insist(() => this.house.keeper.receiptOf(orderId)));
    await this.#insist(() => this.house.keeper.release(owner, orderId));
    if (!receipt) {
      if (person.fence === orderId) Object.assign(person, { state: 'open', fence: undefined, except: [] });
      return undefined;
    }
    expect(receipt.destroyed).toHaveLength(doomed.length);
    this.#orders.push(orderId);
    for (const scope of doomed) scope.state = kind === 'erasure' ? 'erased' : 'expired';
    if (kind === 'erasure')
      Object.assign(person, {
        ...{ state: 'erasing', fence: undefined },
        except: person.except.filter((name) => !isNamed(doomed, name)),
      });
    for (const scopeId of scopeIds) this.#shreddedIn.set(scopeId, lay!.epoch);
    await this.witness.note([]);
    return orderId;
  }

  /** Once; `undefined` when the process died in it and was started again. */
  async #attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!this.house.life.isDead) throw error;
      await this.#alive();
      return undefined;
    }
  }
  /** As often as the process dies in it; it is safe to repeat. */
  async #insist<T>(work: () => Promise<T>): Promise<T> {
    for (;;)
      try {
        return await work();
      } catch (error) {
        if (!this.house.life.isDead) throw error;
        await this.#alive();
      }
  }
  async #alive(): Promise<void> {
    if (!this.house.life.isDead) return;
    await this.house.stop();
    await this.house.start();
  }
}
