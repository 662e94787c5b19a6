import type { OwnerRef, ScopeId } from '#kernel';
import { wipe } from '../aead.js';
import type { ScopeKey } from '../vault.js';

/** A handle with the bytes behind it, which nobody who has the handle can get at. */
class HeldKey implements ScopeKey {
  readonly scopeId: ScopeId;
  readonly owner: OwnerRef;
  readonly category: string;
  readonly partition: string;
  readonly stream: string;
  #bytes: Uint8Array | undefined;

  /** The bytes are copied out of the message that they came in, and wiped there: what holds the message would hold the key. */
  constructor({ scopeId, owner, category, partition, stream }: ScopeKey, bytes: Uint8Array) {
    this.scopeId = scopeId;
    this.owner = owner;
    this.category = category;
    this.partition = partition;
    this.stream = stream;
    this.#bytes = Uint8Array.from(bytes);
    wipe(bytes);
    Object.freeze(this);
  }

  static bytesOf(handle: ScopeKey): Uint8Array | undefined {
    return #bytes in handle ? handle.#bytes : undefined;
  }
  wipe(): void {
    if (this.#bytes) wipe(this.#bytes);
    this.#bytes = undefined;
  }
}

/** Seldom enough that stepping over what went before costs nothing, often enough that what is kept until then is small. */
const WALK_ANEW = 20_000;

/**
 * The key bytes of this process, and the only place that has them: callers hold handles. Bounded; the least recently used
 * key goes first. Every way out of here wipes the bytes.
 */
export class KeyCache {
  /** In order of use, the latest last. */
  readonly #handles = new Map<ScopeId, HeldKey>();
  /**
   * Walks the keys above as they go, oldest first: what it has passed is gone, or used since and ahead of it again, so it never
   * comes to an end while one is held. One begun anew for each key that must go would step over all that went before, thousands.
   */
  #oldest = this.#handles.keys();
  #moves = 0;

  constructor(private readonly capacity: number) {}

  get(scopeId: ScopeId): ScopeKey | undefined {
    const handle = this.#handles.get(scopeId);
    if (!handle) return undefined;
    this.#handles.delete(scopeId);
    this.#append(scopeId, handle);
    return handle;
  }
  get size(): number {
    return this.#handles.size;
  }
  has(scopeId: ScopeId): boolean {
    return this.#handles.has(scopeId);
  }

  /** Takes the bytes over. A key that is held already keeps its handle. */
  put(key: ScopeKey, bytes: Uint8Array): ScopeKey {
    const present = this.get(key.scopeId);
    if (present) {
      wipe(bytes);
      return present;
    }
    const handle = new HeldKey(key, bytes);
    this.#append(key.scopeId, handle);
    if (this.#handles.size > this.capacity) this.drop(this.#oldest.next().value!);
    return handle;
  }

  /**
   * A map that grows past its deleted keys leaves its old table to the walks that stand in it, and through that one all tables since
   * (V8, OrderedHashTable): a walk that is seldom asked must begin anew from time to time, or it would keep what was ever used.
   */
  #append(scopeId: ScopeId, handle: HeldKey): void {
    this.#handles.set(scopeId, handle);
    if (++this.#moves < WALK_ANEW) return;
    this.#moves = 0;
    this.#oldest = this.#handles.keys();
  }

  /** The bytes behind a handle, or `undefined` when they were dropped. For this library's seal and open only. */
  bytesOf(handle: ScopeKey): Uint8Array | undefined {
    return HeldKey.bytesOf(handle);
  }

  drop(scopeId: ScopeId): void {
    this.#handles.get(scopeId)?.wipe();
    this.#handles.delete(scopeId);
  }

  clear(): void {
    for (const scopeId of [...this.#handles.keys()]) this.drop(scopeId);
  }
}
