import { randomUUID } from 'node:crypto';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { Clock, OwnerRef, ScopeId } from '#kernel';
import { unavailable } from '../rpc/errors.js';
import type { FromHolder, ToHolder } from '../rpc/messages.js';
import type { VaultConnection } from './connection.js';

/** What the lease tells whoever holds keys under it. All of it is called in the order of the vault's stream. */
export interface LeaseListener {
  /** These keys are dead. */
  shredded(scopeIds: ReadonlySet<ScopeId>): void;
  /** The view can't be confirmed: everything is dropped. `reset`: what was shredded meanwhile can't be known any more. */
  lapsed(reset: boolean): void;
  /** A new stream to the vault: a fence may have gone up while there was none. Called before anything that comes on it. */
  reconnected(): void;
  /** Call `quiet` when no sealing session that is under way now remains under the owner. */
  quiesce(owner: OwnerRef, quiet: () => void): void;
}

/** Part of a lease that is not used: clocks of two machines may run that much apart. */
const MARGIN = 0.02;
const RENEWALS_PER_LEASE = 5;
const RECONNECT_MS = 100;
/** A vault that has not said welcome by then is tried no longer, where there is another. */
const WELCOMED_WITHIN_MS = 1_500;
/** Until the vault has said how long a lease is. */
const DEFAULT_LEASE_MS = 5_000;
/** A vault that does not take a lease back by then has it run out instead. */
const RELEASED_WITHIN_MS = 500;

/**
 * This process's lease on its view of the vault, on the monotonic clock. It is counted from BEFORE the renewal was sent, so
 * it always ends before the vault believes that it does; whoever asks after that moment is told so, even if the process
 * was stopped in between and no timer has run.
 */
export class Lease {
  readonly holder = randomUUID();
  #untilMs = -Infinity;
  #leaseMs = DEFAULT_LEASE_MS;
  #held = false;
  #view = '';
  #counter = 0;
  #generation = 0;
  #renewal = 0;
  readonly #sentAtMs = new Map<number, number>();
  #stream: ClientDuplexStream<FromHolder, ToHolder> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #reconnecting: NodeJS.Timeout | undefined;
  #closed = false;
  readonly #waiting = new Set<{ readonly sinceMs: number; readonly resolve: () => void }>();

  constructor(
    private readonly connection: VaultConnection,
    private readonly clock: Clock,
    private readonly listener: LeaseListener,
  ) {
    this.#connect();
  }

  /** Counts the views that this process has had: what was asked for under one is worthless under the next. */
  get generation(): number {
    return this.#generation;
  }
  get leaseMs(): number {
    return this.#leaseMs;
  }
  /** Monotonic time at which what is held now must not be used any more. */
  get untilMs(): number {
    return this.#untilMs;
  }

  /** Whether the lease stands at this moment. Finding it run out drops everything, before the caller goes on. */
  isLive(): boolean {
    if (this.clock.monotonicMs() < this.#untilMs) return true;
    this.#lapse(false);
    return false;
  }
  /** Throws `vault-unavailable` when the lease has run out. */
  assertLive(): void {
    if (!this.isLive()) throw unavailable();
  }

  /** Resolves as soon as the lease stands; throws `vault-unavailable` when it doesn't within `patienceMs`. */
  async live(patienceMs: number): Promise<void> {
    if (!this.isLive()) await this.renewed(patienceMs);
  }

  /** Resolves when the vault has confirmed a renewal sent after this call; throws `vault-unavailable` when it doesn't. */
  async renewed(patienceMs: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting = { sinceMs: this.clock.monotonicMs(), resolve };
    this.#waiting.add(waiting);
    if (this.#stream) this.#renew(this.#stream);
    const timer = setTimeout(() => reject(unavailable()), patienceMs);
    await promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(waiting);
    });
    this.assertLive();
  }

  /** Ends it for this process. The vault waits it out: it can't know why the stream ended. */
  close(): void {
    this.#end();
    this.#stream?.cancel();
  }

  /**
   * Ends it and gives it back, so that no fence and no shred waits for a process that ended in order. Only for whoever has no
   * sealing session under way: the vault takes an append that was sealed before for landed. Resolves when the vault has heard.
   */
  async giveBack(): Promise<void> {
    // Everything is dropped here, before the vault is told so.
    this.#end();
    const stream = this.#stream;
    if (!stream) return;
    const { promise: heard, resolve } = Promise.withResolvers<void>();
    stream.once('end', resolve);
    stream.once('error', () => resolve());
    stream.write({ released: true });
    stream.end();
    const late = setTimeout(resolve, RELEASED_WITHIN_MS);
    await heard;
    clearTimeout(late);
    stream.cancel();
  }

  #end(): void {
    this.#closed = true;
    clearTimeout(this.#reconnecting);
    clearInterval(this.#timer);
    this.#untilMs = -Infinity;
    this.#lapse(false);
  }

  #connect(): void {
    const stream = this.connection.hold();
    this.#stream = stream;
    let ended = false;
    const { place, hasOthers } = this.connection;
    const unwelcome = hasOthers ? setTimeout(() => stream.cancel(), WELCOMED_WITHIN_MS) : undefined;
    const end = () => {
      if (ended) return;
      ended = true;
      clearTimeout(unwelcome);
      clearInterval(this.#timer);
      if (this.#closed || this.#stream !== stream) return;
      if (hasOthers) this.connection.elsewhere(place);
      this.#stream = undefined;
      this.#reconnecting = setTimeout(() => this.#connect(), RECONNECT_MS);
      this.#reconnecting.unref();
    };
    stream.on('error', end);
    stream.on('end', end);
    // Each message is handled wholly before the next: a renewal that follows a notice is confirmed after the keys are gone.
    stream.on('data', (message: ToHolder) => {
      if (message.message === 'welcome') clearTimeout(unwelcome);
      this.#receive(stream, message);
    });
    stream.write({ hello: { holder: this.holder, view: this.#view, counter: this.#counter } });
    this.#renew(stream);
    this.#restartTimer(stream);
  }

  #restartTimer(stream: ClientDuplexStream<FromHolder, ToHolder>): void {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => {
      const wasHeld = this.#held;
      // A stream that let a lease run out may be dead without knowing: another one is tried.
      if (!this.isLive() && wasHeld) return stream.cancel();
      this.#renew(stream);
    }, this.#leaseMs / RENEWALS_PER_LEASE);
    this.#timer.unref();
  }

  #renew(stream: ClientDuplexStream<FromHolder, ToHolder>): void {
    const renewal = ++this.#renewal;
    this.#sentAtMs.set(renewal, this.clock.monotonicMs());
    stream.write({ renew: renewal });
  }

  #receive(stream: ClientDuplexStream<FromHolder, ToHolder>, message: ToHolder): void {
    if (this.#stream !== stream || this.#closed) return;
    if (message.message === 'welcome' && message.welcome) this.#welcome(stream, message.welcome);
    else if (message.message === 'renewed') this.#renewed(message.renewed!);
    else if (message.message === 'shredded' && message.shredded) {
      const { counter, scopeIds } = message.shredded;
      this.listener.shredded(new Set(scopeIds as ScopeId[]));
      this.#counter = counter;
      stream.write({ dropped: counter });
    } else if (message.message === 'quiesce' && message.quiesce) {
      const { request, owner } = message.quiesce;
      this.listener.quiesce(owner, () => stream.write({ quiet: request }));
    }
  }

  #welcome(stream: ClientDuplexStream<FromHolder, ToHolder>, welcome: NonNullable<ToHolder['welcome']>): void {
    this.listener.reconnected();
    if (welcome.reset) this.#lapse(true);
    else if (welcome.scopeIds.length > 0) this.listener.shredded(new Set(welcome.scopeIds as ScopeId[]));
    this.#view = welcome.view;
    this.#counter = welcome.counter;
    if (welcome.leaseMs !== this.#leaseMs) {
      this.#leaseMs = welcome.leaseMs;
      this.#restartTimer(stream);
    }
  }

  #renewed(renewal: number): void {
    const sentAtMs = this.#sentAtMs.get(renewal);
    for (const earlier of this.#sentAtMs.keys()) if (earlier <= renewal) this.#sentAtMs.delete(earlier);
    if (sentAtMs === undefined) return;
    // Looked at before it is extended: what lay beyond the end of a lease for a moment must be dropped all the same.
    this.isLive();
    this.#untilMs = Math.max(this.#untilMs, sentAtMs + this.#leaseMs * (1 - MARGIN));
    if (!this.isLive()) return;
    const wasHeld = this.#held;
    this.#held = true;
    for (const { sinceMs, resolve } of this.#waiting) if (sentAtMs >= sinceMs || !wasHeld) resolve();
  }

  #lapse(reset: boolean): void {
    if (reset) this.#untilMs = -Infinity;
    if (!this.#held && !reset) return;
    this.#held = false;
    this.#generation++;
    this.listener.lapsed(reset);
  }
}
