import type { Place } from '../reading/place.js';
import type { View, Watch } from '../reading/probes.js';
import { pair } from '../reading/probes.js';
import type { Kind } from './envelope.js';
import { KEY_BYTES } from './envelope.js';
import { idAt, isIdAt } from './neighbours.js';
import type { Sealed } from './sealed-rows.js';
import { sealedTokens, wrapRows } from './sealed-rows.js';

/** A root key that lies somewhere, and where it was met first. */
export interface Root {
  readonly key: Buffer;
  readonly place: Place;
}

/** A wrapped key, by its bytes: copies of it are one, with all that stood near any of them. */
export interface Wrap {
  readonly kind: Kind;
  readonly envelope: Buffer;
  readonly place: Place;
  readonly ids: Set<string>;
  readonly numbers: Set<number>;
}

const ROOT = Buffer.from('makuler/root/1\n');
/** A vault has some thousand; many copies of many generations are many more. */
const MOST_WRAPS = 1_000_000;
const WRAPPED: readonly Kind[] = ['epoch-key', 'bucket-key'];

/** Gathers, in one reading, every root key and every wrapped epoch and bucket key. */
export class Wraps {
  readonly roots = new Map<string, Root>();
  readonly wraps = new Map<string, Wrap>();
  /** Ids of installations that were met: a wrap is bound to one. */
  readonly installations = new Set<string>();

  readonly watches: readonly Watch[] = [
    { pairs: [pair('ma')], probe: (view, at) => this.#root(view, at) },
    { heads: [Buffer.from('inst')], probe: (view, at) => this.#named(view, at) },
    // The vault's only row as a tuple (its head of 24 bytes, then `true`, installation, incarnation) and in a dump.
    { pairs: [[24, 0]], probe: (view, at) => this.#row(view, at) },
    { pairs: [pair('t\t')], probe: (view, at) => this.#text(view.bytes, at + 2) },
    wrapRows((sealed, view) => this.#wrap(sealed, view)),
  ];

  readonly token = sealedTokens(WRAPPED, (sealed, view) => this.#wrap(sealed, view));

  #root({ bytes, place }: View, at: number): void {
    if (!bytes.subarray(at, at + ROOT.length).equals(ROOT)) return;
    const key = Buffer.from(bytes.subarray(at + ROOT.length, at + ROOT.length + KEY_BYTES));
    const known = key.length < KEY_BYTES || this.roots.has(key.toString('latin1'));
    if (!known) this.roots.set(key.toString('latin1'), { key, place });
  }

  /** `"installation":"<id>"`, and whatever else has that word before an id. */
  #named({ bytes }: View, at: number): void {
    const word = 'installation';
    if (bytes.toString('latin1', at, at + word.length) !== word) return;
    for (let gap = 0; gap < 8; gap++) if (this.#text(bytes, at + word.length + gap)) return;
  }

  #row({ bytes }: View, at: number): void {
    if (bytes[at + 2] === 1 && isIdAt(bytes, at + 3) && isIdAt(bytes, at + 19))
      this.installations.add(idAt(bytes, at + 3)!);
  }

  #text(bytes: Buffer, at: number): boolean {
    const text = bytes.toString('latin1', at, at + 36);
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) return false;
    this.installations.add(text);
    return true;
  }

  #wrap({ kind, envelope, ids, numbers, at }: Sealed, view: View): void {
    const bytes = envelope.toString('latin1');
    let wrap = this.wraps.get(bytes);
    if (!wrap) {
      if (this.wraps.size === MOST_WRAPS) return view.unread(at, 'more wrapped keys than can be kept');
      wrap = { kind, envelope: Buffer.from(envelope), place: view.place, ids: new Set(), numbers: new Set() };
      this.wraps.set(bytes, wrap);
    }
    for (const id of ids) wrap.ids.add(id);
    for (const number of numbers) wrap.numbers.add(number);
  }
}
