import type { Clock, OwnerRef, ScopeId } from '#kernel';

/** What the vault tells a process that holds a lease. */
export type Notice =
  | { readonly renewed: { readonly renewal: number } }
  | { readonly shredded: { readonly counter: number; readonly scopeIds: readonly ScopeId[] } }
  | { readonly quiesce: { readonly request: number; readonly owner: OwnerRef } };

interface Holder {
  readonly send: (notice: Notice) => void;
  readonly end: () => void;
  leaseUntilMs: number;
  heardAtMs: number;
  connected: boolean;
  /** Counters of shred notices that it has not confirmed. */
  readonly undropped: Set<number>;
  readonly unquiet: Set<number>;
}

/** One connected process, as its stream's handler sees it. */
export interface HolderSession {
  renew(renewal: number): void;
  dropped(counter: number): void;
  quiet(request: number): void;
  /** It has dropped everything and seals nothing: nobody waits for its lease. */
  release(): void;
  /** It may be stopped and still hold what its lease covers, which is waited out. */
  disconnect(): void;
}

/** A process that says nothing for so long is stopped or gone; notices to it would pile up here. */
const SILENT_MS = 60_000;

/** Shreds remembered for processes that reconnect; one that missed more drops everything. */
const REMEMBERED = 10_000;

/**
 * Which processes hold keys, and until when: measured on the monotonic clock from the moment the renewal was received.
 * A process counts from before it sent it, so its own view of the lease always ends first.
 */
export class Holders {
  readonly #holders = new Map<string, Holder>();
  readonly #recent: { counter: number; scopeIds: readonly ScopeId[] }[] = [];
  #counter = 0;
  #requests = 0;
  #changed = Promise.withResolvers<void>();
  /** Until then, processes may still hold leases that the life of the vault before this one gave. */
  readonly #inheritedUntilMs: number;

  constructor(
    private readonly clock: Clock,
    readonly leaseMs: number,
    inheritedMs: number,
    /** Whether leases may be given: only while this vault knows that it is the active one. */
    private readonly mayRenew: () => boolean,
  ) {
    this.#inheritedUntilMs = clock.monotonicMs() + inheritedMs;
  }

  get counter(): number {
    return this.#counter;
  }
  get count(): number {
    return [...this.#holders.values()].filter((holder) => this.#holds(holder)).length;
  }

  /** Whether this process's lease stands; keys are given to no other. */
  isLive(holderId: string): boolean {
    const holder = this.#holders.get(holderId);
    return holder !== undefined && this.#holds(holder);
  }

  /** The scopes shredded after `counter`, or `undefined` when they are not remembered: then everything is dropped. */
  since(counter: number): readonly ScopeId[] | undefined {
    if (counter > this.#counter) return undefined;
    if (counter < (this.#recent[0]?.counter ?? this.#counter + 1) - 1) return undefined;
    return this.#recent.filter((shred) => shred.counter > counter).flatMap(({ scopeIds }) => [...scopeIds]);
  }

  connect(holderId: string, send: (notice: Notice) => void, end: () => void): HolderSession {
    const previous = this.#holders.get(holderId);
    const holder: Holder = {
      send,
      end,
      // What an earlier stream of the same process was given still stands.
      leaseUntilMs: previous?.leaseUntilMs ?? -Infinity,
      heardAtMs: this.clock.monotonicMs(),
      connected: true,
      undropped: new Set(),
      unquiet: new Set(),
    };
    this.#holders.set(holderId, holder);
    if (previous) previous.connected = false;
    return {
      renew: (renewal) => {
        holder.heardAtMs = this.clock.monotonicMs();
        // A process that has not confirmed a shred gets no more time: its lease runs out, and the shred is done.
        if (!holder.connected || holder.undropped.size > 0 || !this.mayRenew()) return;
        holder.leaseUntilMs = this.clock.monotonicMs() + this.leaseMs;
        holder.send({ renewed: { renewal } });
      },
      dropped: (counter) => {
        for (const waiting of holder.undropped) if (waiting <= counter) holder.undropped.delete(waiting);
        this.#signal();
      },
      quiet: (request) => {
        holder.unquiet.delete(request);
        this.#signal();
      },
      release: () => {
        if (!holder.connected || this.#holders.get(holderId) !== holder) return;
        holder.leaseUntilMs = -Infinity;
        holder.connected = false;
        this.#holders.delete(holderId);
        this.#signal();
      },
      disconnect: () => {
        holder.connected = false;
        if (this.#holders.get(holderId) === holder && !this.#holds(holder)) this.#holders.delete(holderId);
      },
    };
  }

  /** Tells every process to drop the keys; resolves when each has confirmed or its lease has run out. */
  async dropEverywhere(scopeIds: readonly ScopeId[]): Promise<void> {
    const counter = ++this.#counter;
    this.#recent.push({ counter, scopeIds });
    if (this.#recent.length > REMEMBERED) this.#recent.shift();
    const told = this.#tell((holder) => {
      holder.undropped.add(counter);
      holder.send({ shredded: { counter, scopeIds } });
    });
    await this.#settled(told, (holder) => !holder.undropped.has(counter));
  }

  /**
   * Resolves when no process has a sealing session under way that began before this call, under this owner's keys: each
   * has said so, or one lease has been waited out (a session never outlives the lease that it began under); and so have those
   * of the vault before.
   */
  async quiesce(owner: OwnerRef): Promise<void> {
    const request = ++this.#requests;
    // What the vault before may still have leased was leased without asking this one: a session under it may begin even now.
    const latestMs = Math.max(this.clock.monotonicMs() + this.leaseMs, this.#inheritedUntilMs);
    const told = this.#tell((holder) => {
      holder.unquiet.add(request);
      holder.send({ quiesce: { request, owner } });
    });
    await this.#settled(told, (holder) => !holder.unquiet.has(request), latestMs);
    for (const holder of told) holder.unquiet.delete(request);
  }

  /** Ends every stream: what follows on this object's knowledge can't be confirmed any more. */
  endAll(): void {
    for (const holder of this.#holders.values()) if (holder.connected) holder.end();
  }

  #holds(holder: Holder): boolean {
    return this.clock.monotonicMs() < holder.leaseUntilMs;
  }

  /** Everybody connected is told, also who has no lease now: in the order of its stream it learns of it before it gets one. */
  #tell(notify: (holder: Holder) => void): Holder[] {
    const silentSinceMs = this.clock.monotonicMs() - SILENT_MS;
    for (const [id, holder] of this.#holders) {
      if (this.#holds(holder) || (holder.connected && holder.heardAtMs > silentSinceMs)) continue;
      this.#holders.delete(id);
      if (holder.connected) holder.end();
    }
    const all = [...this.#holders.values()];
    for (const holder of all) if (holder.connected) notify(holder);
    return all;
  }

  async #settled(told: readonly Holder[], confirmed: (holder: Holder) => boolean, latestMs = Infinity): Promise<void> {
    for (;;) {
      const now = this.clock.monotonicMs();
      const waiting = told.filter((holder) => this.#holds(holder) && !(holder.connected && confirmed(holder)));
      const until = Math.min(
        Math.max(this.#inheritedUntilMs, ...waiting.map(({ leaseUntilMs }) => leaseUntilMs)),
        latestMs,
      );
      if (until <= now) return;
      await this.#changedWithin(until - now);
    }
  }

  #signal(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
  async #changedWithin(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, Math.min(ms, 1_000))));
    await Promise.race([this.#changed.promise, timeout]).finally(() => clearTimeout(timer));
  }
}
