/** What a copy of the vault is of. It opens under roots of `epoch` and of those after it, and under no others. */
export interface ArchiveHeader {
  readonly installation: string;
  readonly incarnation: string;
  /** Keys that had ever been made, decimal. */
  readonly mintSequence: string;
  /** The lowest epoch that wraps a key in it: once the roots of this epoch are destroyed, part of it opens no more. */
  readonly epoch: number;
  /** Ids of the schema's steps that the database had. */
  readonly schema: readonly string[];
  /** Names of its tables, each after those that it refers to. */
  readonly tables: readonly string[];
}

/** Rows of one table as the vault's database has them, sealed: each a JSON text with the columns as members. */
export interface ArchiveRows {
  readonly table: string;
  readonly rows: readonly string[];
}

/** The header first, then rows, table after table, and at the end how many rows there were: without it the copy is not whole. */
export type ArchiveFrame =
  { readonly header: ArchiveHeader } | { readonly rows: ArchiveRows } | { readonly end: { readonly rows: number } };

/**
 * Copies of the vault's database. Every method throws `vault-unavailable` when the vault can't be asked or breaks off. Part of
 * the entry point `#vault/operations`.
 */
export abstract class VaultArchive {
  /** Places of the custodian's mirrors as far as they are known, for people: no copy may lie in one of them. */
  abstract mirrors(): Promise<readonly string[]>;

  /**
   * The database as it is at one moment, however long it takes to read: rows of every table, sealed as they are. It holds no
   * root, and dies with the roots of its epoch. While the gate is closed there is none.
   */
  abstract backup(): AsyncIterable<ArchiveFrame>;

  /**
   * Fills an empty vault, which waits for it behind its closed gate, with a copy; all of it or nothing. From then on the
   * vault lives its next life, named `incarnation` (a random UUID of the caller's), and reconciles with custodian and log:
   * `askVaultStatus` says how that ended. Throws `restore-not-empty` for a vault that has keys, `backup-foreign` for a copy of
   * another installation than the custodian's, `backup-newer`, `backup-damaged`.
   */
  abstract restore(frames: AsyncIterable<ArchiveFrame>, incarnation: string): Promise<void>;
}
