import { createHash } from 'node:crypto';
import type { ErrorCode, OwnerRef, ScopeId } from '#kernel';
import { MakulerError, newId } from '#kernel';
import type { OpenedBlock, OpeningKey, ScopeKey, ScopeRequest, SealedBlock, SealingSession } from '#vault';
import { Vault } from '#vault';

interface ToyScope {
  readonly key: ScopeKey;
  state: OpeningKey['state'];
}

const mark = (associatedData: Uint8Array) => createHash('sha256').update(associatedData).digest();

/** A vault in memory that hides nothing: a block is its plaintext behind a hash of where it belongs, and a shredded scope is one that it refuses. */
export class VaultDouble extends Vault {
  readonly #scopes = new Map<ScopeId, ToyScope>();
  readonly #byMeaning = new Map<string, ScopeId>();
  readonly #listeners: ((scopes: ReadonlySet<ScopeId> | 'all') => void)[] = [];
  readonly #incarnation = newId();
  /** While set, nothing can be opened or asked for: a key row is missing, a block is damaged, the vault is away from readers. */
  fault: ErrorCode | undefined;
  /** While true, the vault is away for everybody, writers too. */
  away = false;

  /** Owners that are closed: nothing is sealed for them but under these categories and partitions (`category/partition`). */
  readonly fences = new Map<string, ReadonlySet<string>>();

  /** Every scope of an owner, as the vault's own list has it. */
  scopesOf(owner: OwnerRef): readonly (ScopeKey & { readonly state: OpeningKey['state'] })[] {
    return [...this.#scopes.values()]
      .filter(({ key }) => key.owner.id === owner.id)
      .map(({ key, state }) => ({ ...key, state }));
  }

  /** Destroys keys, of one owner and category or as many as are named. Gives how many. */
  shred(owner: OwnerRef, category?: string, partition?: string, to: 'shredded' | 'lost' = 'shredded'): number {
    const found = [...this.#scopes.values()].filter(
      ({ key, state }) =>
        state === 'live' &&
        key.owner.id === owner.id &&
        (category === undefined || key.category === category) &&
        (partition === undefined || key.partition === partition),
    );
    for (const scope of found) scope.state = to;
    const ids = new Set(found.map(({ key }) => key.scopeId));
    for (const listener of this.#listeners) listener(ids);
    return found.length;
  }

  async withSealing<T>(requests: readonly ScopeRequest[], work: (session: SealingSession) => Promise<T>): Promise<T> {
    if (this.away) throw new MakulerError('vault-unavailable', { retryAfterSeconds: 1 });
    const before = this.#scopes.size;
    const keys = requests.map((request) => this.#mint(request));
    return work({
      keys,
      incarnation: this.#incarnation,
      mintSequence: this.#scopes.size > before ? this.#scopes.size : undefined,
      remainingMs: () => 5_000,
      seal: (_key, plaintext, associatedData) => Buffer.concat([mark(associatedData), plaintext]),
    });
  }

  async openingKeys(scopeIds: readonly ScopeId[]): Promise<ReadonlyMap<ScopeId, OpeningKey>> {
    if (scopeIds.length > 0) this.#reach();
    return new Map(
      scopeIds.map((id) => {
        const scope = this.#scopes.get(id);
        if (!scope) throw new MakulerError('scope-unknown');
        return [id, scope.state === 'live' ? { state: 'live', key: scope.key } : { state: scope.state }];
      }),
    );
  }

  open(_key: ScopeKey, block: Uint8Array, associatedData: Uint8Array): Uint8Array {
    if (!mark(associatedData).equals(block.subarray(0, 32))) throw new MakulerError('block-tampered');
    return block.slice(32);
  }

  async openOnce(blocks: readonly SealedBlock[]): Promise<readonly OpenedBlock[]> {
    const keys = await this.openingKeys(blocks.map(({ scopeId }) => scopeId));
    return blocks.map(({ scopeId, block, associatedData }) => {
      const found = keys.get(scopeId)!;
      return found.state === 'live' ? this.open(found.key, block, associatedData) : found.state;
    });
  }

  assertCurrent(scopeIds: Iterable<ScopeId>): void {
    this.#reach();
    for (const id of scopeIds)
      if (this.#scopes.get(id)?.state !== 'live') throw new MakulerError('vault-unavailable', { retryAfterSeconds: 1 });
  }

  onDropped(listener: (scopes: ReadonlySet<ScopeId> | 'all') => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {}

  #reach(): void {
    if (this.away) throw new MakulerError('vault-unavailable', { retryAfterSeconds: 1 });
    if (this.fault) throw new MakulerError(this.fault);
  }

  #mint(request: ScopeRequest): ScopeKey {
    const except = this.fences.get(request.owner.id);
    if (except && !except.has(`${request.category}/${request.partition}`)) throw new MakulerError('subject-closed');
    const meaning = [request.owner.id, request.category, request.partition].join('/');
    const known = this.#scopes.get(this.#byMeaning.get(meaning) as ScopeId);
    if (known && known.state !== 'live') throw new MakulerError('scope-shredded');
    if (known && known.key.stream !== request.stream) throw new MakulerError('scope-stream-mismatch');
    if (known) return known.key;
    const key: ScopeKey = { ...request, scopeId: newId<ScopeId>() };
    this.#byMeaning.set(meaning, key.scopeId);
    this.#scopes.set(key.scopeId, { key, state: 'live' });
    return key;
  }
}
