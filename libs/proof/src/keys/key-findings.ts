import { kindOf, layersOf } from '../reading/place.js';
import type { View } from '../reading/probes.js';
import type { OpenedScope } from './scope-records.js';

/** Keys of the person, or blocks that they open, in one file: of which category, how many, and by which root. */
export interface KeyFinding {
  /** `record`: a scope record that gives a data key; `block`: personal data in the log that the key opens. */
  readonly kind: 'record' | 'block';
  readonly category: string;
  readonly file: string;
  readonly layers: string;
  /** Of the first one, in the innermost layer. */
  readonly offset: number;
  /** Where the root at the beginning of the path lies. */
  readonly rootFile: string;
  count: number;
}

/** Gathers what opens. No id of a scope or a stream: together they would join what the person did. */
export class KeyFindings {
  readonly #found = new Map<string, KeyFinding>();

  get all(): readonly KeyFinding[] {
    return [...this.#found.values()];
  }

  note(kind: KeyFinding['kind'], { category, by }: OpenedScope, { place, base }: View, at: number): void {
    const rootFile = by.root.place.file;
    const key = [kind, category, rootFile, kindOf(place)].join('\n');
    const known = this.#found.get(key);
    if (known) known.count += 1;
    else
      this.#found.set(key, {
        kind,
        category,
        file: place.file,
        layers: layersOf(place),
        offset: base + at,
        rootFile,
        count: 1,
      });
  }
}
