const EMPTY = -1;
/** Of a UUID's 128 bits in words of 32: where its groups begin and end in the text. */
const WORDS = 4;
const DIGITS = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Ids (UUIDs), numbered in the order in which they were met. In typed arrays: as strings in a Map a hundred thousand of them take
 * five times the room, and the garbage collector walks over each again and again while the index is built.
 */
export class IdTable {
  #capacity = 1 << 12;
  #slots = new Int32Array(this.#capacity).fill(EMPTY);
  #words = new Uint32Array((this.#capacity / 2) * WORDS);
  #used = 0;
  /** The id that is looked for, as four words. */
  readonly #asked = new Uint32Array(WORDS);

  get size(): number {
    return this.#used;
  }

  /** The number of an id, which is given one when it has none. Throws on what is no UUID in small letters. */
  numberOf(id: string): number {
    this.#read(id);
    const place = this.#placeOf(this.#asked);
    const known = this.#slots[place]!;
    if (known !== EMPTY) return known;
    this.#slots[place] = this.#used;
    this.#words.set(this.#asked, this.#used * WORDS);
    this.#used++;
    if (this.#used * 2 === this.#capacity) this.#grow();
    return this.#used - 1;
  }

  /** The id with a number that was given. */
  idOf(number: number): string {
    const words = this.#words.subarray(number * WORDS, (number + 1) * WORDS);
    const hex = Array.from(words, (word) => word.toString(16).padStart(8, '0')).join('');
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  }

  #read(id: string): void {
    if (!DIGITS.test(id)) throw new TypeError('an id that is no UUID');
    const words = this.#asked;
    words[0] = parseInt(id.slice(0, 8), 16);
    words[1] = parseInt(id.slice(9, 13) + id.slice(14, 18), 16);
    words[2] = parseInt(id.slice(19, 23) + id.slice(24, 28), 16);
    words[3] = parseInt(id.slice(28), 16);
  }

  /** Where it stands, or the empty place where it would: its last words are random (RFC 9562, versions 4 and 7). */
  #placeOf(words: Uint32Array): number {
    const mask = this.#capacity - 1;
    for (let place = (words[2]! ^ words[3]!) & mask; ; place = (place + 1) & mask) {
      const slot = this.#slots[place]!;
      if (slot === EMPTY || this.#isAt(slot, words)) return place;
    }
  }

  #isAt(slot: number, words: Uint32Array): boolean {
    for (let n = 0; n < WORDS; n++) if (this.#words[slot * WORDS + n] !== words[n]) return false;
    return true;
  }

  #grow(): void {
    this.#capacity *= 2;
    const words = new Uint32Array((this.#capacity / 2) * WORDS);
    words.set(this.#words);
    this.#words = words;
    this.#slots = new Int32Array(this.#capacity).fill(EMPTY);
    for (let slot = 0; slot < this.#used; slot++)
      this.#slots[this.#placeOf(words.subarray(slot * WORDS, (slot + 1) * WORDS))] = slot;
  }
}
