import { layersOf, kindOf } from '../reading/place.js';
import type { View, Watch } from '../reading/probes.js';
import type { Needle } from './needles.js';
import { needlesOf } from './needles.js';
import { valueWatch } from './value-watch.js';

/** A value that stands somewhere: which one, by its number, where, and how it is written there. Never the value. */
export interface ValueFinding {
  readonly value: number;
  readonly encoding: string;
  readonly file: string;
  /** Through which layers of the file, from the outside; empty for the file's own bytes. */
  readonly layers: string;
  /** Of the first place, in the innermost layer. */
  readonly offset: number;
  /** Places in this file, through the same kinds of layers. */
  count: number;
}

/** Findings beyond these are counted only: one leak may stand in a million rows. */
const MOST_KEPT = 10_000;

/** Gathers where the values stand. */
export class ValueFindings {
  readonly #found = new Map<string, ValueFinding>();
  readonly #needles: readonly Needle[];
  /** Places that are not in the list any more. */
  more = 0;

  constructor(values: readonly string[]) {
    this.#needles = needlesOf(values);
  }

  get all(): readonly ValueFinding[] {
    return [...this.#found.values()];
  }

  get watches(): readonly Watch[] {
    return this.#needles.length === 0
      ? []
      : [valueWatch(this.#needles, (needle, { place, base }, at) => this.#note(needle, place, base + at))];
  }

  /** A name of a file is read like what is in it. */
  name(path: string): void {
    for (const needle of this.#needles)
      if (Buffer.from(path).includes(needle.bytes))
        this.#note(needle, { file: path, layers: [{ name: 'its name', at: 0 }] }, 0);
  }

  /** The path, without what of it is a value of the person. */
  withoutValues(path: string): string {
    let bytes = Buffer.from(path);
    for (const { value, bytes: needle } of this.#needles)
      for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle))
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from(`[value ${value}]`),
          bytes.subarray(at + needle.length),
        ]);
    return bytes.toString();
  }

  #note({ value, encoding }: Needle, place: View['place'], offset: number): void {
    const key = [value, encoding, kindOf(place)].join('\n');
    const known = this.#found.get(key);
    if (known) known.count += 1;
    else if (this.#found.size === MOST_KEPT) this.more += 1;
    else this.#found.set(key, { value, encoding, file: place.file, layers: layersOf(place), offset, count: 1 });
  }
}
