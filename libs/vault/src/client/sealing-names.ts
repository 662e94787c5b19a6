import type { OwnerRef } from '#kernel';
import type { ScopeKey, ScopeRequest } from '../vault.js';
import type { KeyCache } from './key-cache.js';

const ownerKeyOf = ({ kind, id }: OwnerRef): string => `${kind}:${id}`;
const nameOf = ({ category, partition, stream }: ScopeRequest): string => JSON.stringify([category, partition, stream]);

/**
 * Which scopes the vault has let this process seal under, so that it need not be asked again. Only that: a key that was
 * got for reading is not in here, because who may be read may be fenced. Whatever could change the vault's mind empties
 * it: a fence of the owner (`forget`), a new stream to the vault on which a fence may have been missed, and a lease that
 * ran out (`clear`). A shred needs nothing here: the key itself is dropped, and then the vault is asked.
 */
export class SealingNames {
  readonly #owners = new Map<string, Map<string, ScopeKey['scopeId']>>();
  #incarnation = '';
  #size = 0;
  #era = 0;

  constructor(
    private readonly cache: KeyCache,
    private readonly capacity: number,
  ) {}

  /** To be taken before the vault is asked, and given to `remember`: an answer from before a fence is not remembered. */
  get era(): number {
    return this.#era;
  }

  /** The keys of all requests, or `undefined` when the vault must be asked for one of them. */
  find(
    requests: readonly ScopeRequest[],
  ): { readonly keys: readonly ScopeKey[]; readonly incarnation: string } | undefined {
    const keys: ScopeKey[] = [];
    for (const request of requests) {
      const scopeId = this.#owners.get(ownerKeyOf(request.owner))?.get(nameOf(request));
      const key = scopeId && this.cache.get(scopeId);
      if (!key) return undefined;
      keys.push(key);
    }
    return { keys, incarnation: this.#incarnation };
  }

  /** Takes note of what the vault has just allowed, unless something was forgotten since `era`. */
  remember(keys: readonly ScopeKey[], incarnation: string, era: number): void {
    if (era !== this.#era) return;
    if (this.#size >= this.capacity) this.clear();
    this.#incarnation = incarnation;
    for (const key of keys) {
      const owner = ownerKeyOf(key.owner);
      const names = this.#owners.get(owner) ?? new Map<string, ScopeKey['scopeId']>();
      this.#owners.set(owner, names);
      const before = names.size;
      names.set(nameOf(key), key.scopeId);
      this.#size += names.size - before;
    }
  }

  forget(owner: OwnerRef): void {
    this.#era++;
    this.#size -= this.#owners.get(ownerKeyOf(owner))?.size ?? 0;
    this.#owners.delete(ownerKeyOf(owner));
  }

  clear(): void {
    this.#era++;
    this.#owners.clear();
    this.#size = 0;
  }
}
