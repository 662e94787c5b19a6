import type { ArchiveFrame, ArchiveHeader, ArchiveRows } from '../archive-contract.js';

/** `ArchiveFrame` of vault.proto, as proto-loader gives and takes it. `begin` is the first message of a restore and of nothing else. */
export interface ArchiveMessage {
  /** Which of them is set. */
  readonly frame: 'header' | 'rows' | 'end' | 'begin';
  readonly header?: ArchiveHeader | null;
  readonly rows?: ArchiveRows | null;
  readonly end?: { readonly rows: number } | null;
  readonly begin?: { readonly incarnation: string } | null;
}

/** A frame as it goes over the wire. */
export const messageOf = (frame: ArchiveFrame): ArchiveMessage => {
  if ('header' in frame) return { frame: 'header', ...frame };
  return 'rows' in frame ? { frame: 'rows', ...frame } : { frame: 'end', ...frame };
};

/** What came over the wire as a frame. Throws when it is something else. */
export const frameOf = ({ frame, header, rows, end }: ArchiveMessage): ArchiveFrame => {
  if (frame === 'header' && header) return { header };
  if (frame === 'rows' && rows) return { rows };
  if (frame === 'end' && end) return { end };
  throw new Error('a message of an archive that this version does not know');
};
