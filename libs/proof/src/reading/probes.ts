import type { Place } from './place.js';

/** Bytes that are under the eyes: `bytes[0]` stands at `base` of the place. */
export interface View {
  readonly bytes: Buffer;
  readonly base: number;
  readonly place: Place;
  /** Opens what begins here as a stretch of its own, once this view has been gone through. */
  open(at: number, layer: string, decoder: DecoderOf): void;
  /** Goes through bytes that were decoded here, once this view has been gone through. */
  inner(at: number, layer: string, content: Buffer): void;
  /** What stands here is read by a decoder: the bytes from `at` to `until` are not gone through as they are. */
  leap(at: number, until: number): void;
  /** Says that something at this place could not be read. */
  unread(at: number, why: string): void;
}

/** Takes the bytes from where something began, until it has enough or they end. */
export interface Decoder {
  /** Whether it wants more. */
  push(bytes: Buffer): Promise<boolean>;
  end(): Promise<void>;
}

/** Makes a decoder; what it decodes is given to `inner`, part by part. */
export type DecoderOf = (inner: Decoder, unread: (why: string) => void) => Decoder;

/**
 * Looks at a place where certain bytes stand (of four, only probably). At least `REACH` bytes lie before and after it in the view, as far as the
 * content has them.
 */
export type Probe = (view: View, at: number) => void;

/** What may stand at a place, by its first two bytes, or by its first four where there are many. */
export type Watch = { readonly probe: Probe } & (
  { readonly pairs: Iterable<readonly [number, number]> } | { readonly heads: Iterable<Buffer> }
);

/** How far a probe may look, in bytes. */
export const REACH = 12 * 1024;

/** `'PK'` as the pair of its bytes. */
export const pair = (text: string): readonly [number, number] => {
  const bytes = Buffer.from(text, 'latin1');
  return [bytes[0]!, bytes[1]!];
};

/** Spreads four bytes over the filter: its place is the upper half of the product. */
export const SPREAD = 0x9e3779b1;

/** Probes by what they wait for: one pass over the content serves any number of them. */
export class Probes {
  /** For each pair of bytes the number of its list, 0 for none. */
  readonly pairs = new Uint16Array(1 << 16);
  /** Whether four bytes may be the head of something: most are not, and this says so without a call. */
  readonly filter = new Uint8Array(1 << 16);
  readonly lists: Probe[][] = [[]];
  readonly byHead: Probe[] = [];

  constructor(watches: Iterable<Watch>) {
    for (const watch of watches) {
      if ('heads' in watch) {
        this.byHead.push(watch.probe);
        for (const head of watch.heads) this.filter[Math.imul(head.readUInt32BE(0), SPREAD) >>> 16] = 1;
      } else for (const [first, second] of watch.pairs) this.#await((first << 8) | second, watch.probe);
    }
  }

  #await(pair: number, probe: Probe): void {
    if (this.pairs[pair] === 0) this.pairs[pair] = this.lists.push([]) - 1;
    this.lists[this.pairs[pair]!]!.push(probe);
  }
}
