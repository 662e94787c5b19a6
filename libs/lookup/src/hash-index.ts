import { randomBytes } from 'node:crypto';
import { SipHash } from './siphash.js';

const EMPTY = -1;

/**
 * Words to targets, by 64-bit SipHash-2-4 under a random key of this process, in typed arrays: no word is kept, and without
 * the key no guess can be confirmed (Aumasson and Bernstein, SipHash, 2012). Hashes may collide: whoever asks verifies what
 * it finds; nothing is taken out, so of whom has been forgotten an entry stays that leads to nothing. Targets are small integers.
 */
export class HashIndex {
  readonly #hash = new SipHash(randomBytes(16));
  #capacity = 1 << 12;
  #high = new Uint32Array(this.#capacity);
  #low = new Uint32Array(this.#capacity);
  #head = new Int32Array(this.#capacity).fill(EMPTY);
  #used = 0;
  #target = new Int32Array(1 << 12);
  #next = new Int32Array(1 << 12);
  #entries = 0;

  /** Entries held, also of those who have been forgotten. */
  get entries(): number {
    return this.#entries;
  }

  /** Bytes of the typed arrays. */
  get bytes(): number {
    return this.#capacity * 12 + this.#target.length * 8;
  }

  add(word: string, target: number): void {
    if ((this.#used + 1) * 5 > this.#capacity * 3) this.#growTable();
    if (this.#entries === this.#target.length) this.#growEntries();
    this.#hash.of(word);
    const { high, low } = this.#hash;
    const place = this.#place(high, low);
    const head = this.#head[place]!;
    for (let e = head; e !== EMPTY; e = this.#next[e]!) {
      if (this.#target[e] === target) return;
      if (e !== head) break; // one look behind the head catches the usual repeat; a rare double entry does no harm
    }
    if (head === EMPTY) {
      this.#high[place] = high;
      this.#low[place] = low;
      this.#used++;
    }
    this.#target[this.#entries] = target;
    this.#next[this.#entries] = head;
    this.#head[place] = this.#entries++;
  }

  /** Targets that stand under all of the words, newest first; a collision may add one that never had them. */
  find(words: readonly string[]): readonly number[] {
    const heads = words.map((word) => this.#headOf(word));
    // A common first name has everybody under it: only the rarest word's targets are listed, the others' looked through.
    const [rarest = EMPTY, ...others] = this.#rarestFirst(heads);
    let found = this.#among(rarest);
    for (const head of others) {
      const both = this.#among(head, found);
      found = new Set([...found].filter((target) => both.has(target)));
    }
    return [...found];
  }

  /** The targets of a list of entries; with `wanted`, those that are wanted. */
  #among(head: number, wanted?: ReadonlySet<number>): Set<number> {
    const found = new Set<number>();
    for (let e = head; e !== EMPTY && found.size !== wanted?.size; e = this.#next[e]!)
      if (!wanted || wanted.has(this.#target[e]!)) found.add(this.#target[e]!);
    return found;
  }

  /** The list that ends first, when all are walked side by side, and the others. */
  #rarestFirst(heads: readonly number[]): readonly number[] {
    if (heads.length < 2) return heads;
    let at = heads;
    while (!at.includes(EMPTY)) at = at.map((e) => this.#next[e]!);
    const rarest = at.indexOf(EMPTY);
    return [heads[rarest]!, ...heads.filter((_, index) => index !== rarest)];
  }

  #headOf(word: string): number {
    this.#hash.of(word);
    return this.#head[this.#place(this.#hash.high, this.#hash.low)]!;
  }

  /** The table place of a hash: where it stands, or the empty one where it would. */
  #place(high: number, low: number): number {
    const mask = this.#capacity - 1;
    for (let place = low & mask; ; place = (place + 1) & mask)
      if (this.#head[place] === EMPTY || (this.#high[place] === high && this.#low[place] === low)) return place;
  }

  #growTable(): void {
    const { high, low, head } = { high: this.#high, low: this.#low, head: this.#head };
    this.#capacity *= 2;
    this.#high = new Uint32Array(this.#capacity);
    this.#low = new Uint32Array(this.#capacity);
    this.#head = new Int32Array(this.#capacity).fill(EMPTY);
    for (let old = 0; old < head.length; old++) {
      if (head[old] === EMPTY) continue;
      const place = this.#place(high[old]!, low[old]!);
      this.#high[place] = high[old]!;
      this.#low[place] = low[old]!;
      this.#head[place] = head[old]!;
    }
  }

  #growEntries(): void {
    const target = new Int32Array(this.#target.length * 2);
    const next = new Int32Array(this.#next.length * 2);
    target.set(this.#target);
    next.set(this.#next);
    this.#target = target;
    this.#next = next;
  }
}
