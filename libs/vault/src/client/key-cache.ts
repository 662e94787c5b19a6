import type { ScopeId } from '#kernel';
import { wipe } from '../aead.js';
import type { ScopeKey } from '../vault.js';

/**
 * The key bytes of this process, and the only place that has them: callers hold handles. Bounded; the least recently used
 * key goes first. Every way out of here wipes the bytes.
 */
export class KeyCache {
  /** In order of use, the latest last. */
  readonly #handles = new Map<ScopeId, ScopeKey>();
  readonly #bytes = new WeakMap<ScopeKey, Uint8Array>();

  constructor(private readonly capacity: number) {}

  get(scopeId: ScopeId): ScopeKey | undefined {
    const handle = this.#handles.get(scopeId);
    if (!handle) return undefined;
    this.#handles.delete(scopeId);
    this.#handles.set(scopeId, handle);
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
    const handle = Object.freeze(key);
    // Copied out of the message that it came in: what holds the message would hold the key.
    this.#bytes.set(handle, Uint8Array.from(bytes));
    wipe(bytes);
    this.#handles.set(key.scopeId, handle);
    if (this.#handles.size > this.capacity) this.drop(this.#handles.keys().next().value!);
    return handle;
  }

  /** The bytes behind a handle, or `undefined` when they were dropped. For this library's seal and open only. */
  bytesOf(handle: ScopeKey): Uint8Array | undefined {
    return this.#bytes.get(handle);
  }

  drop(scopeId: ScopeId): void {
    const handle = this.#handles.get(scopeId);
    if (!handle) return;
    this.#handles.delete(scopeId);
    const bytes = this.#bytes.get(handle);
    this.#bytes.delete(handle);
    if (bytes) wipe(bytes);
  }

  clear(): void {
    for (const scopeId of [...this.#handles.keys()]) this.drop(scopeId);
  }
}
