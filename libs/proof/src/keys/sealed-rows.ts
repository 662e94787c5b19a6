import type { View, Watch } from '../reading/probes.js';
import type { Kind } from './envelope.js';
import { KINDS, kindOf, WRAPPED_KEY_BYTES } from './envelope.js';
import type { Neighbours } from './neighbours.js';
import { idAt, neighboursIn } from './neighbours.js';

/** Something that the vault has sealed, wherever it was met, with what may be its place. */
export interface Sealed extends Neighbours {
  readonly kind: Kind;
  readonly envelope: Buffer;
  /** Offset in the view. */
  readonly at: number;
}

export type Met = (sealed: Sealed, view: View) => void;

/** PostgreSQL's head of a value of this length that has one byte of it (src/include/varatt.h). */
const shortHead = (length: number): number => ((length + 1) << 1) | 1;
const uint32 = (bytes: Buffer, at: number): number[] => (at < 0 ? [] : [bytes.readUInt32LE(at)]);
const ids = (...found: (string | undefined)[]): string[] => found.filter((id) => id !== undefined);

/**
 * Rows of the tables `epoch_key` (epoch, mirror, wrapped) and `bucket` (bucket_id, generation, epoch, wrapped, …) as bytes: in
 * pages of a table, live, dead or half removed, in the write-ahead log, in a copy of either. The key's ids stand before it.
 */
export const wrapRows = (met: Met): Watch => ({
  pairs: [[shortHead(WRAPPED_KEY_BYTES), 1]],
  probe: (view, at) => {
    const { bytes } = view;
    const envelope = bytes.subarray(at + 1, at + 1 + WRAPPED_KEY_BYTES);
    const kind = kindOf(envelope);
    if (kind === 'epoch-key')
      met({ kind, envelope, at, ids: ids(idAt(bytes, at - 16)), numbers: uint32(bytes, at - 20) }, view);
    if (kind === 'bucket-key')
      met({ kind, envelope, at, ids: ids(idAt(bytes, at - 24)), numbers: uint32(bytes, at - 8) }, view);
  },
});

/** `live` as a text of PostgreSQL, and the head of the 32 bytes of `identity` behind it. */
const LIVE = Buffer.from([shortHead(4), ...Buffer.from('live'), shortHead(32)]);
const IDENTITY_BYTES = 32;

/** Rows of the table `scope` (scope_id, bucket_id, state, identity, sealed): `sealed` is aligned to four bytes of the row. */
export const scopeRows = (met: Met): Watch => ({
  pairs: [[LIVE[0]!, LIVE[1]!]],
  probe: (view, at) => {
    const { bytes } = view;
    if (!bytes.subarray(at, at + LIVE.length).equals(LIVE)) return;
    const behind = at + LIVE.length + IDENTITY_BYTES;
    for (let head = behind; head < behind + 4 && head + 4 < bytes.length; head++) {
      const word = bytes.readUInt32LE(head);
      const envelope = bytes.subarray(head + 4, head + (word >>> 2));
      if ((word & 3) !== 0 || kindOf(envelope) !== 'scope') continue;
      return met(
        { kind: 'scope', envelope, at: head, ids: ids(idAt(bytes, at - 32), idAt(bytes, at - 16)), numbers: [] },
        view,
      );
    }
  },
});

/** The same as text: hexadecimal or base64, in a row of a dump or a line of JSON that has the ids too. */
export const sealedTokens =
  (kinds: readonly Kind[], met: Met) =>
  (view: View, from: number, to: number, decoded: Buffer): void => {
    if (decoded[0] !== 1 || decoded[1]! > KINDS.scope) return;
    const kind = kindOf(decoded);
    if (kind !== undefined && kinds.includes(kind))
      met({ kind, envelope: decoded, at: from, ...neighboursIn(view.bytes, from, to) }, view);
  };
