import type { OwnerRef, ScopeId } from '#kernel';

/** What a writer needs a key for. `stream` is the one stream in which the scope may ever stand. */
export interface ScopeRequest {
  readonly owner: OwnerRef;
  readonly category: string;
  /** Random id of a purchase, case, revision …, or '' for none. */
  readonly partition: string;
  readonly stream: string;
}

/** A handle on a data key: says what the key is for, never its bytes. */
export interface ScopeKey extends ScopeRequest {
  readonly scopeId: ScopeId;
}

/** What the vault answers when asked for a scope to open. An unknown scope is never an answer: it throws `scope-unknown`. */
export type OpeningKey = { readonly state: 'live'; readonly key: ScopeKey } | { readonly state: 'shredded' | 'lost' };

/** A sealed block and what it takes to open it. */
export interface SealedBlock {
  readonly scopeId: ScopeId;
  readonly block: Uint8Array;
  readonly associatedData: Uint8Array;
}
/** The plaintext, which the caller wipes, or what has become of the key. */
export type OpenedBlock = Uint8Array | 'shredded' | 'lost';

/** Keys pinned for one write. The vault's fence waits for sessions under way, so `work` must end within `remainingMs`. */
export interface SealingSession {
  /** In the order of the requests. */
  readonly keys: readonly ScopeKey[];
  /** Random id of this life of the vault's database; with `mintSequence` it dates the vault that made the keys. */
  readonly incarnation: string;
  /** Count of keys ever made, after those of this session; undefined when it made none. No two sessions have the same. */
  readonly mintSequence: number | undefined;
  /** Time left before the lease that covers these keys runs out; an append's server-side deadline must end before it. */
  remainingMs(): number;
  /** XChaCha20-Poly1305 over the padded plaintext. Throws `vault-unavailable` once the lease has run out. Bytes: nonce (24) ‖ ciphertext ‖ tag. */
  seal(key: ScopeKey, plaintext: Uint8Array, associatedData: Uint8Array): Uint8Array;
}

/**
 * The client of the key vault: handles, never key bytes. Keys are cached under a lease of 5 s that is renewed every
 * second; a process that can't confirm its view of the vault drops all of them (measured on the monotonic clock).
 * Every method throws `vault-unavailable` when the vault can't be asked and the lease has run out: never "erased".
 */
export abstract class Vault {
  /**
   * Mints what does not exist, leases what does, in one call, then runs `work` with the keys pinned.
   * Throws `subject-closed` (the owner is fenced or erased), `scope-shredded`, `scope-stream-mismatch`.
   */
  abstract withSealing<T>(requests: readonly ScopeRequest[], work: (session: SealingSession) => Promise<T>): Promise<T>;

  /** Leases keys to open with, in one call for all that the cache lacks. Throws `scope-unknown` when the vault has never heard of one. */
  abstract openingKeys(scopeIds: readonly ScopeId[]): Promise<ReadonlyMap<ScopeId, OpeningKey>>;

  /** Opens a block made by `seal`. Throws `block-tampered`; throws `vault-unavailable` if the lease has run out since. */
  abstract open(key: ScopeKey, block: Uint8Array, associatedData: Uint8Array): Uint8Array;

  /**
   * Opens blocks, in their order, and keeps no key for it: for whoever goes through the whole log, or all cards, once. Keys that are held already are
   * used. Throws `scope-unknown`, `key-damaged`, `block-tampered`.
   */
  abstract openOnce(blocks: readonly SealedBlock[]): Promise<readonly OpenedBlock[]>;

  /**
   * To be asked immediately before an answer leaves the process: throws `vault-unavailable` when the lease has run out, or
   * when one of `scopeIds` was shredded since it was opened (the caller reads again). Checks memory only; no I/O.
   */
  abstract assertCurrent(scopeIds: Iterable<ScopeId>): void;

  /** Called with every scope shredded, and with `all` when the whole view was dropped. For caches of opened things (the look-up index). */
  abstract onDropped(listener: (scopes: ReadonlySet<ScopeId> | 'all') => void): void;

  abstract close(): Promise<void>;
}
