import type { Clock, ScopeId } from '#kernel';
import { isMakulerError, MakulerError, SystemClock } from '#kernel';
import { sealBytes, wipe } from '../aead.js';
import { refusal, unavailable } from '../rpc/errors.js';
import type { MintReply, OpenedKey, OpenReply } from '../rpc/messages.js';
import type { OpenedBlock, OpeningKey, ScopeKey, ScopeRequest, SealedBlock, SealingSession } from '../vault.js';
import { Vault } from '../vault.js';
import { Coalescer } from './coalescer.js';
import type { VaultAddress } from './connection.js';
import { VaultConnection } from './connection.js';
import { KeyCache } from './key-cache.js';
import { Lease } from './lease.js';
import { answerOf, keyIn, nameIn, plaintextOf } from './opened-key.js';
import { SealingNames } from './sealing-names.js';
import { SealingSessions } from './sealing-sessions.js';

export interface GrpcVaultOptions extends VaultAddress {
  readonly clock?: Clock;
  /** Keys held at most (default 50,000). */
  readonly capacity?: number;
  /** How long an operation waits for the lease to stand (again), in milliseconds (default 1,000). */
  readonly patienceMs?: number;
}

interface Minted {
  readonly keys: readonly ScopeKey[];
  readonly incarnation: string;
  readonly mintSequence: number | undefined;
}

/** Scope ids remembered as shredded, for reads under way; beyond that, what is not held is not vouched for. */
const REMEMBERED = 200_000;

/**
 * The vault mints one batch after the other, so a second call would only wait there. What comes meanwhile is gathered here: a batch
 * costs the vault and PostgreSQL much the same however many keys it makes. One that hangs is waited for half a second only.
 */
const MINTS_AT_ONCE = 1;
/** Where many are at it, a batch waits so long for those who were in the last: they would make another one of a few. */
const GATHER_MS = 5;

/** The vault's client over gRPC: one lease, one bounded cache of keys, calls gathered into one. */
export class GrpcVault extends Vault {
  readonly #connection: VaultConnection;
  readonly #clock: Clock;
  readonly #patienceMs: number;
  readonly #cache: KeyCache;
  readonly #names: SealingNames;
  readonly #lease: Lease;
  readonly #sessions = new SealingSessions();
  readonly #listeners: ((scopes: ReadonlySet<ScopeId> | 'all') => void)[] = [];
  #shredded = new Set<ScopeId>();
  /** Sealing sessions under way whose keys were made for them. */
  #withNewKeys = 0;
  #hits = 0;
  #misses = 0;
  /** Set once the list above may be incomplete: from then on only keys that are held now are vouched for. */
  #onlyHeld = false;
  /** What was dropped while a call was under way: its reply may bring it back. */
  readonly #inFlight = new Set<Set<ScopeId>>();
  readonly #mints = new Coalescer<readonly ScopeRequest[], Minted | MakulerError>(
    (groups) => this.#mint(groups),
    MINTS_AT_ONCE,
    { expected: () => this.#withNewKeys, withinMs: GATHER_MS },
  );
  readonly #opens = new Coalescer<readonly ScopeId[], ReadonlyMap<ScopeId, OpeningKey | MakulerError>>((asked) =>
    this.#lookUp(asked),
  );

  constructor(options: GrpcVaultOptions) {
    super();
    this.#clock = options.clock ?? new SystemClock();
    this.#patienceMs = options.patienceMs ?? 1_000;
    const capacity = options.capacity ?? 50_000;
    this.#cache = new KeyCache(capacity);
    this.#names = new SealingNames(this.#cache, capacity);
    this.#connection = new VaultConnection(options);
    this.#lease = new Lease(this.#connection, this.#clock, {
      shredded: (scopeIds) => this.#drop(scopeIds),
      lapsed: (reset) => this.#dropAll(reset),
      reconnected: () => this.#names.clear(),
      quiesce: (owner, quiet) => {
        // First, so that whoever begins from now on asks the vault, and is refused there.
        this.#names.forget(owner);
        void this.#sessions.quiet(owner).then(quiet);
      },
    });
  }

  /** What this process holds, and how many keys it was asked for, held or not; for metrics. */
  get cached(): { readonly keys: number; readonly hits: number; readonly misses: number } {
    return { keys: this.#cache.size, hits: this.#hits, misses: this.#misses };
  }

  /** Resolves when the vault has given this process its first lease; throws `vault-unavailable` after `withinMs`. */
  ready(withinMs: number): Promise<void> {
    return this.#lease.live(withinMs);
  }

  withSealing<T>(requests: readonly ScopeRequest[], work: (session: SealingSession) => Promise<T>): Promise<T> {
    const owners = requests.map(({ owner }) => owner);
    // Registered before the vault is asked: a fence that is set from now on waits for this session or refuses it.
    return this.#sessions.run(
      owners,
      async () => {
        const session = await this.#insist(() => this.#session(requests));
        if (session.mintSequence === undefined) return work(session);
        this.#withNewKeys++;
        return work(session).finally(() => this.#withNewKeys--);
      },
      // Nobody knows what came of that append: it may land for as long as the lease stood under which it was sealed.
      (error) => (isMakulerError(error, 'store-unavailable') ? this.#lease.leaseMs : 0),
    );
  }

  openingKeys(scopeIds: readonly ScopeId[]): Promise<ReadonlyMap<ScopeId, OpeningKey>> {
    return this.#insist(() => this.#openingKeys(scopeIds));
  }

  open(key: ScopeKey, block: Uint8Array, associatedData: Uint8Array): Uint8Array {
    this.#lease.assertLive();
    return plaintextOf(this.#cache.bytesOf(key), { block, associatedData });
  }

  openOnce(blocks: readonly SealedBlock[]): Promise<readonly OpenedBlock[]> {
    return this.#insist(() => this.#openOnce(blocks));
  }

  assertCurrent(scopeIds: Iterable<ScopeId>): void {
    this.#lease.assertLive();
    for (const scopeId of scopeIds)
      if (this.#shredded.has(scopeId) || (this.#onlyHeld && !this.#cache.has(scopeId))) throw unavailable();
  }

  onDropped(listener: (scopes: ReadonlySet<ScopeId> | 'all') => void): void {
    this.#listeners.push(listener);
  }

  /** Ends this process's lease. Where nobody seals any more it is given back, else the vault waits it out. */
  async close(): Promise<void> {
    if (this.#sessions.idle) await this.#lease.giveBack();
    else this.#lease.close();
    this.#connection.close();
  }

  /** Once more after the vault has answered again: it was restarted, say, and this process is back before the caller must know. */
  async #insist<T>(attempt: () => Promise<T>): Promise<T> {
    await this.#lease.live(this.#patienceMs);
    try {
      return await attempt();
    } catch (error) {
      if (!isMakulerError(error, 'vault-unavailable')) throw error;
      await this.#lease.renewed(this.#patienceMs);
      return attempt();
    }
  }

  async #session(requests: readonly ScopeRequest[]): Promise<SealingSession> {
    // The lease as it stands before the vault is asked. Renewals don't prolong a session: a fence waits out one lease, and
    // whatever began before the fence must be over by then.
    const { untilMs, generation } = this.#lease;
    const minted = this.#known(requests) ?? (await this.#mints.ask(requests));
    if (minted instanceof MakulerError) throw minted;
    const remainingMs = () =>
      generation === this.#lease.generation && this.#lease.isLive()
        ? Math.max(0, untilMs - this.#clock.monotonicMs())
        : 0;
    return {
      ...minted,
      remainingMs,
      seal: (key, plaintext, associatedData) => {
        const bytes = this.#cache.bytesOf(key);
        if (remainingMs() <= 0 || !bytes) throw unavailable();
        return sealBytes(bytes, plaintext, associatedData);
      },
    };
  }

  /** What the vault has allowed under this very lease, and nothing has taken back. */
  #known(requests: readonly ScopeRequest[]): Minted | undefined {
    const known = this.#lease.isLive() ? this.#names.find(requests) : undefined;
    return known && { ...known, mintSequence: undefined };
  }

  async #openingKeys(scopeIds: readonly ScopeId[]): Promise<ReadonlyMap<ScopeId, OpeningKey>> {
    const keys = new Map<ScopeId, OpeningKey>();
    const missing: ScopeId[] = [];
    for (const scopeId of new Set(scopeIds)) {
      const key = this.#cache.get(scopeId);
      if (key) this.#hits++;
      else this.#misses++;
      if (key) keys.set(scopeId, { state: 'live', key });
      else if (this.#shredded.has(scopeId)) keys.set(scopeId, { state: 'shredded' });
      else missing.push(scopeId);
    }
    if (missing.length === 0) return keys;
    const found = await this.#opens.ask(missing);
    for (const scopeId of missing) {
      const answer = found.get(scopeId) ?? unavailable();
      if (answer instanceof MakulerError) throw answer;
      keys.set(scopeId, answer);
    }
    return keys;
  }

  /** The keys that the vault gives live for one turn of the event loop, in which no notice of a shred can come between. */
  async #openOnce(blocks: readonly SealedBlock[]): Promise<readonly OpenedBlock[]> {
    const asked = new Map<ScopeId, number>();
    for (const { scopeId } of blocks)
      if (!this.#cache.has(scopeId) && !this.#shredded.has(scopeId) && !asked.has(scopeId))
        asked.set(scopeId, asked.size);
    const open = (keys: readonly OpenedKey[], dropped: ReadonlySet<ScopeId>): OpenedBlock[] => {
      this.#lease.assertLive();
      return blocks.map((sealed): OpenedBlock => {
        const { scopeId } = sealed;
        if (dropped.has(scopeId) || this.#shredded.has(scopeId)) return 'shredded';
        const at = asked.get(scopeId);
        const held = at === undefined ? this.#cache.get(scopeId) : undefined;
        // One that was held and had to make room meanwhile opens nothing; `#insist` asks for it then.
        if (at === undefined) return plaintextOf(held && this.#cache.bytesOf(held), sealed);
        const answer = answerOf(scopeId, keys[at]);
        return answer.state === 'live' ? plaintextOf(keyIn(answer.record), sealed) : answer.state;
      });
    };
    this.#hits += blocks.length - asked.size;
    this.#misses += asked.size;
    if (asked.size === 0) return open([], new Set());
    return this.#asking<OpenReply, OpenedBlock>('Open', { scopeIds: [...asked.keys()] }, ({ keys }, dropped) => {
      try {
        return open(keys, dropped);
      } finally {
        for (const { record } of keys) if (record) wipe(record);
      }
    });
  }

  async #mint(groups: readonly (readonly ScopeRequest[])[]): Promise<(Minted | MakulerError)[]> {
    const { era } = this.#names;
    return this.#asking<MintReply, Minted | MakulerError>(
      'Mint',
      { groups: groups.map((requests) => ({ requests })) },
      ({ outcomes, incarnation }, dropped) =>
        outcomes.map(({ refused, keys, mintSequence }, index) => {
          if (refused) return refusal(refused);
          // Shredded between the vault's answer and now: refused as it would be if it were asked again.
          if (keys.some(({ scopeId }) => dropped.has(scopeId as ScopeId))) {
            for (const { dataKey } of keys) wipe(dataKey);
            return new MakulerError('scope-shredded');
          }
          const held = keys.map(({ scopeId, dataKey }, at) =>
            this.#cache.put({ ...groups[index]![at]!, scopeId: scopeId as ScopeId }, dataKey),
          );
          this.#names.remember(held, incarnation, era);
          return { keys: held, incarnation, mintSequence: mintSequence || undefined };
        }),
    );
  }

  async #lookUp(asked: readonly (readonly ScopeId[])[]): Promise<ReadonlyMap<ScopeId, OpeningKey | MakulerError>[]> {
    const scopeIds = [...new Set(asked.flat())];
    const found = await this.#asking<OpenReply, readonly [ScopeId, OpeningKey | MakulerError]>(
      'Open',
      { scopeIds },
      ({ keys }, dropped) =>
        keys.map((key, index) => [scopeIds[index]!, this.#answer(scopeIds[index]!, key, dropped)] as const),
    );
    const all = new Map(found);
    return asked.map(() => all);
  }

  #answer(scopeId: ScopeId, key: OpenedKey, dropped: ReadonlySet<ScopeId>): OpeningKey | MakulerError {
    try {
      const answer = answerOf(scopeId, key);
      if (answer.state !== 'live') return answer;
      if (dropped.has(scopeId)) {
        wipe(answer.record);
        return { state: 'shredded' };
      }
      const name = nameIn(answer.record);
      return { state: 'live', key: this.#cache.put({ ...name, scopeId }, keyIn(answer.record)) };
    } catch (error) {
      // One scope's own fault, told to whoever asked for that one.
      if (error instanceof MakulerError) return error;
      throw error;
    }
  }

  /** One call, whose reply counts only if the view it was asked under still stands. */
  async #asking<Reply, T>(
    method: string,
    request: object,
    take: (reply: Reply, dropped: ReadonlySet<ScopeId>) => T[],
  ): Promise<T[]> {
    const dropped = new Set<ScopeId>();
    const generation = this.#lease.generation;
    this.#inFlight.add(dropped);
    try {
      const reply = await this.#connection.call<Reply>(
        method,
        { holder: this.#lease.holder, ...request },
        this.#lease.leaseMs,
      );
      if (!this.#lease.isLive() || generation !== this.#lease.generation) throw unavailable();
      return take(reply, dropped);
    } finally {
      this.#inFlight.delete(dropped);
    }
  }

  #drop(scopeIds: ReadonlySet<ScopeId>): void {
    if (this.#shredded.size + scopeIds.size > REMEMBERED) {
      this.#shredded = new Set();
      this.#onlyHeld = true;
    }
    for (const scopeId of scopeIds) {
      this.#cache.drop(scopeId);
      this.#shredded.add(scopeId);
      for (const dropped of this.#inFlight) dropped.add(scopeId);
    }
    for (const listener of this.#listeners) listener(scopeIds);
  }

  #dropAll(reset: boolean): void {
    this.#cache.clear();
    this.#names.clear();
    if (reset) this.#onlyHeld = true;
    for (const listener of this.#listeners) listener('all');
  }
}
