import { Custodian } from '#vault/keeper';
import type { Pool, PoolClient } from '#postgres';

type Place = Parameters<Custodian['wrapEpochKey']>[0];
type State = Parameters<Custodian['writeState']>[0];
type Confirm = () => Promise<void>;

/** What a process that was killed meets: nothing that it does happens any more. */
export class Killed extends Error {
  override readonly name = 'Killed';
}

/** A query that was stopped. */
export interface Held {
  readonly reached: Promise<void>;
  release(): void;
}

/**
 * One life of a process, as its database and its custodian see it. It is killed at a step that was set before: before a
 * query or a write, or after it was carried out and before the process learned of it.
 */
export class Life {
  /** Steps taken so far. */
  steps = 0;
  #diesAt = Infinity;
  #dead = false;
  #held: { part: string; when: 'before' | 'after'; reached(): void; released: Promise<void> } | undefined;
  readonly #clients = new Set<PoolClient>();

  get isDead(): boolean {
    return this.#dead;
  }
  /** Stops the next query whose text or name contains `part`, before it is sent or before its answer is given. */
  hold(part: string, when: 'before' | 'after'): Held {
    const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    this.#held = { part, when, reached: reached.resolve, released: released.promise };
    return { reached: reached.promise, release: released.resolve };
  }
  /** Kills it at its `steps`-th step from now, counted from 1. */
  dieAfter(steps: number): void {
    this.#diesAt = this.steps + steps;
  }
  die(): void {
    this.#dead = true;
    // As the kernel does: the server sees its connections break, and rolls back what was not committed.
    for (const client of this.#clients)
      (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  }

  pool(pool: Pool): Pool {
    pool.on('connect', (client) => this.#clients.add(client));
    const query = (target: Pool | PoolClient) => (first: unknown, second?: unknown) => {
      const text = (typeof first === 'string' ? first : (first as { text: string }).text).trimStart();
      const send = () => target.query(first as string, second as unknown[]);
      const run = () => this.#passing(typeof first === 'string' ? first : JSON.stringify(first), send);
      // The heartbeat comes when it comes; the steps are to be the same each time.
      return text.startsWith('update leases.lease set renewals') ? this.#alive(run) : this.step(run);
    };
    const mortal = <T extends Pool | PoolClient>(target: T): T =>
      new Proxy(target, {
        get: (_, name) => {
          if (name === 'query') return query(target);
          if (name === 'connect') return () => this.#alive(async () => mortal(await (target as Pool).connect()));
          const value: unknown = Reflect.get(target, name);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    return mortal(pool);
  }

  custodian(custodian: Custodian): Custodian {
    return new MortalCustodian(custodian, this);
  }

  async step<T>(work: () => Promise<T>): Promise<T> {
    this.#take();
    const result = await work();
    this.#take();
    return result;
  }

  async #passing<T>(text: string, send: () => Promise<T>): Promise<T> {
    const held = this.#held && text.includes(this.#held.part) ? this.#held : undefined;
    if (!held) return send();
    this.#held = undefined;
    const pause = async () => {
      held.reached();
      await held.released;
    };
    if (held.when === 'before') await pause();
    const result = await send();
    if (held.when === 'after') await pause();
    return result;
  }

  async #alive<T>(work: () => Promise<T>): Promise<T> {
    if (this.#dead) throw new Killed();
    return work();
  }
  #take(): void {
    if (!this.#dead && ++this.steps >= this.#diesAt) this.die();
    if (this.#dead) throw new Killed();
  }
}

class MortalCustodian extends Custodian {
  constructor(
    private readonly inner: Custodian,
    private readonly life: Life,
  ) {
    super();
  }
  get name() {
    return this.inner.name;
  }
  get place() {
    return this.inner.place;
  }
  id() {
    return this.inner.id();
  }
  enrol(confirm?: Confirm) {
    return this.life.step(() => this.inner.enrol(confirm));
  }
  takeOver() {
    return this.inner.takeOver();
  }
  readState() {
    return this.inner.readState();
  }
  writeState(state: State, confirm?: Confirm) {
    return this.life.step(() => this.inner.writeState(state, confirm));
  }
  createRoot(epoch: number, confirm?: Confirm) {
    return this.life.step(() => this.inner.createRoot(epoch, confirm));
  }
  destroyRoot(epoch: number, confirm?: Confirm) {
    return this.life.step(() => this.inner.destroyRoot(epoch, confirm));
  }
  epochs() {
    return this.inner.epochs();
  }
  wrapEpochKey(place: Place, epochKey: Uint8Array) {
    return this.life.step(() => this.inner.wrapEpochKey(place, epochKey));
  }
  unwrapEpochKey(place: Place, wrapped: Uint8Array) {
    return this.inner.unwrapEpochKey(place, wrapped);
  }
  device() {
    return this.inner.device();
  }
}
