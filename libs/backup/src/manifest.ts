import { createHash } from 'node:crypto';

import { canonicalJson } from '#chain';
import { MakulerError } from '#kernel';

export const FORMAT = 'makuler/backup';
/** Raised when something in a set is read otherwise than before; a set of a higher one is refused. */
export const VERSION = 1;

export type PartKind = 'log' | 'vault' | 'control';

/** One file of a set: lines of JSON, compressed with gzip. */
export interface Part {
  readonly file: string;
  readonly kind: PartKind;
  /** Of the file as it lies there, hex. */
  readonly sha256: string;
  readonly bytes: number;
  readonly lines: number;
}

/** What a set is of. Ids, counts and hashes only. */
export interface SetFacts {
  readonly setId: string;
  /** Installation of the vault and its custodian. */
  readonly installation: string;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
  readonly log: {
    /** Position of the last event on the server that it was read from, decimal; "0" of an empty log. */
    readonly position: string;
    /** How many events there are, decimal. */
    readonly sequence: string;
    /** Link of the hash chain over all of them (docs/formats/checkpoint.md), hex. */
    readonly link: string;
  };
  readonly vault: {
    readonly incarnation: string;
    /** Decimal. */
    readonly mintSequence: string;
    /** The set can be restored until the roots of this epoch are destroyed. */
    readonly epoch: number;
  };
  readonly control: {
    /** Tables that are in no backup, and why. */
    readonly leftOut: readonly { readonly table: string; readonly why: string }[];
  };
}

/** `manifest.json` of a set. */
export interface Manifest extends SetFacts {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  /** Log parts in the order of their events, then the vault's, then control's. */
  readonly parts: readonly Part[];
}

/** SHA-256 of the manifest's other members as RFC 8785 JSON, hex: a manifest that was changed is noticed like any part. */
const hashOf = (manifest: object): string => createHash('sha256').update(canonicalJson(manifest)).digest('hex');

/** The text of `manifest.json`. */
export const encodeManifest = (manifest: Manifest): string =>
  `${JSON.stringify({ ...manifest, sha256: hashOf(manifest) }, null, 2)}\n`;

/** Throws `backup-newer` for another version of the format, `backup-damaged` for anything that is not a whole manifest of this one. */
export const decodeManifest = (text: string): Manifest => {
  const stored = parseJson(text, 'its manifest') as (Partial<Manifest> & { sha256?: unknown }) | null;
  if (typeof stored !== 'object' || stored === null) throw damaged('its manifest is no object');
  const { sha256, ...manifest } = stored;
  if (manifest.format !== FORMAT) throw damaged('its manifest is of another format');
  if (manifest.version !== VERSION)
    throw new MakulerError('backup-newer', { detail: `The backup set is of format ${Number(manifest.version)}.` });
  if (sha256 !== hashOf(manifest)) throw damaged('its manifest was changed');
  return manifest as Manifest;
};

/** A JSON text of a set. Throws `backup-damaged` for one that is none, naming `what` it should have been. */
export const parseJson = (text: string, what: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw damaged(`${what} is no JSON`);
  }
};

/** The refusal of a set that is not whole. `why` names files and counts. */
export const damaged = (why: string): MakulerError =>
  new MakulerError('backup-damaged', { detail: `The backup set is not whole: ${why}.` });
