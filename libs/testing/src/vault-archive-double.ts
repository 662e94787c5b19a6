import type { ArchiveFrame, ArchiveHeader } from '#vault/operations';
import { VaultArchive } from '#vault/operations';
import { MakulerError } from '#kernel';

/** A vault's database in memory: a header and rows, which come out as they went in. */
export class VaultArchiveDouble extends VaultArchive {
  header: ArchiveHeader | undefined;
  rows: { readonly table: string; readonly row: string }[] = [];

  constructor(
    readonly installation: string,
    filled?: { readonly header: Omit<ArchiveHeader, 'installation'>; readonly rows: VaultArchiveDouble['rows'] },
  ) {
    super();
    if (!filled) return;
    this.header = { ...filled.header, installation };
    this.rows = [...filled.rows];
  }

  /** Set by whoever needs some. */
  places: readonly string[] = [];
  mirrors = async () => this.places;

  async *backup(): AsyncGenerator<ArchiveFrame, void> {
    if (!this.header) throw new MakulerError('vault-unavailable');
    yield { header: this.header };
    for (const { table, row } of this.rows) yield { rows: { table, rows: [row] } };
    yield { end: { rows: this.rows.length } };
  }

  async restore(frames: AsyncIterable<ArchiveFrame>, incarnation: string): Promise<void> {
    if (this.header) throw new MakulerError('restore-not-empty');
    let header: ArchiveHeader | undefined;
    const rows: VaultArchiveDouble['rows'] = [];
    for await (const frame of frames) {
      if ('header' in frame) header = frame.header;
      else if ('rows' in frame) rows.push(...frame.rows.rows.map((row) => ({ table: frame.rows.table, row })));
      else if (frame.end.rows !== rows.length) throw new MakulerError('backup-damaged');
      else {
        this.header = { ...header!, incarnation };
        this.rows = rows;
      }
    }
    if (!this.header) throw new MakulerError('backup-damaged');
  }

  /** As `askVaultStatus` tells it. */
  state = async () => ({ installation: this.installation, incarnation: this.header?.incarnation ?? '' });
}
