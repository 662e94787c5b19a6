const encoder = new TextEncoder();
/** A UTF-16 unit takes three bytes at most; the last word is filled up to eight. */
const BYTES_PER_UNIT = 3;
const WORD = 8;
const LAST_ASCII = 0x7f;

/**
 * SipHash-2-4, 64 bits, of a text in UTF-8 (Aumasson and Bernstein, SipHash: a fast short-input PRF, 2012), in halves of 32 bits.
 * The result stands in `high` and `low` until the next call: a million are made when an api starts, and none leaves garbage behind.
 * On a machine that stores the low byte first, as every one that Node is shipped for but s390x.
 */
export class SipHash {
  high = 0;
  low = 0;
  #bytes = new Uint8Array(256);
  #words = new Int32Array(this.#bytes.buffer);
  readonly #key: Int32Array;

  /** Sixteen bytes. */
  constructor(key: Uint8Array) {
    this.#key = new Int32Array(Uint8Array.from(key).buffer);
  }

  of(text: string): void {
    this.#makeRoomFor(text.length * BYTES_PER_UNIT + WORD);
    const length = this.#write(text);
    const end = length & -WORD;
    this.#bytes[end + WORD - 1] = length;
    const count = (end + WORD) / 4;
    this.#mix(count);
    for (let at = 0; at < count; at++) this.#words[at] = 0; // words are personal data: none stays here until the next
  }

  /** Into bytes that are all zero. Most words are short and ASCII: a call of the encoder would cost more than all the rest. */
  #write(text: string): number {
    const bytes = this.#bytes;
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      if (unit > LAST_ASCII) return encoder.encodeInto(text, bytes).written;
      bytes[at] = unit;
    }
    return text.length;
  }

  /** Over so many words of 32 bits. The numbers below are those of the paper; a sum of halves carries where it came out smaller. */
  #mix(count: number): void {
    const [k0l, k0h, k1l, k1h] = this.#key as unknown as [number, number, number, number];
    let [v0h, v0l, v1h, v1l] = [k0h ^ 0x736f6d65, k0l ^ 0x70736575, k1h ^ 0x646f7261, k1l ^ 0x6e646f6d];
    let [v2h, v2l, v3h, v3l] = [k0h ^ 0x6c796765, k0l ^ 0x6e657261, k1h ^ 0x74656462, k1l ^ 0x79746573];
    for (let at = 0; at <= count; at += 2) {
      const isLast = at === count;
      const low = isLast ? 0 : this.#words[at]!;
      const high = isLast ? 0 : this.#words[at + 1]!;
      v3l ^= low;
      v3h ^= high;
      if (isLast) v2l ^= 0xff;
      for (let round = isLast ? 4 : 2; round > 0; round--) {
        let sum = (v0l + v1l) | 0;
        v0h = (v0h + v1h + (sum >>> 0 < v0l >>> 0 ? 1 : 0)) | 0;
        v0l = sum;
        let turned = (v1h << 13) | (v1l >>> 19);
        v1l = ((v1l << 13) | (v1h >>> 19)) ^ v0l;
        v1h = turned ^ v0h;
        turned = v0h;
        v0h = v0l;
        v0l = turned;
        sum = (v2l + v3l) | 0;
        v2h = (v2h + v3h + (sum >>> 0 < v2l >>> 0 ? 1 : 0)) | 0;
        v2l = sum;
        turned = (v3h << 16) | (v3l >>> 16);
        v3l = ((v3l << 16) | (v3h >>> 16)) ^ v2l;
        v3h = turned ^ v2h;
        sum = (v0l + v3l) | 0;
        v0h = (v0h + v3h + (sum >>> 0 < v0l >>> 0 ? 1 : 0)) | 0;
        v0l = sum;
        turned = (v3h << 21) | (v3l >>> 11);
        v3l = ((v3l << 21) | (v3h >>> 11)) ^ v0l;
        v3h = turned ^ v0h;
        sum = (v2l + v1l) | 0;
        v2h = (v2h + v1h + (sum >>> 0 < v2l >>> 0 ? 1 : 0)) | 0;
        v2l = sum;
        turned = (v1h << 17) | (v1l >>> 15);
        v1l = ((v1l << 17) | (v1h >>> 15)) ^ v2l;
        v1h = turned ^ v2h;
        turned = v2h;
        v2h = v2l;
        v2l = turned;
      }
      v0l ^= low;
      v0h ^= high;
    }
    this.high = (v0h ^ v1h ^ v2h ^ v3h) >>> 0;
    this.low = (v0l ^ v1l ^ v2l ^ v3l) >>> 0;
  }

  #makeRoomFor(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    this.#bytes = new Uint8Array(Math.ceil(bytes / 4) * 8);
    this.#words = new Int32Array(this.#bytes.buffer);
  }
}
