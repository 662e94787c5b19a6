import type { Place } from './place.js';
import { within } from './place.js';
import type { Decoder, DecoderOf, Probes, View } from './probes.js';
import { REACH } from './probes.js';
import { lookAt, nextPlace } from './sweep.js';
import { decodeText, textDecoder, textRuns } from './text-runs.js';

/** What all regions of one reading have in common. */
export interface Course {
  readonly probes: Probes;
  /** What a long row of hex digits or base64 letters stands for, where it is not only gone through like other content. */
  readonly token?: (view: View, from: number, to: number, decoded: Buffer) => void;
  unread(place: Place, at: number, why: string): void;
  /** Counts what is read through a layer. */
  through(layer: string): void;
}

/** Within how many layers something is still looked at. */
const DEEPEST = 8;
const PART_BYTES = 1024 * 1024;
/** What a decoder gives comes in small parts, and many regions may be open at once. */
const INNER_PART_BYTES = 128 * 1024;

/**
 * A stretch of bytes that is gone through once, part by part, in bounded memory: a file, or what a decoder makes of a part
 * of one. Probes see each place once, with what lies around it; what they open is fed along the way.
 */
export class Region implements Decoder {
  #memory: Buffer = Buffer.alloc(0);
  #filled = 0;
  /** Where the next place to look at is, in the memory. */
  #next = 0;
  /** Offset of the memory's first byte in the region. */
  #base = 0;
  #leapFrom = 0;
  #leapUntil = 0;
  #runEnd = 0;
  #open: { readonly decoder: Decoder; readonly region: Region }[] = [];

  constructor(
    private readonly course: Course,
    private readonly place: Place,
    private readonly depth = 0,
  ) {}

  async push(part: Buffer): Promise<boolean> {
    await this.#feedOpen(part);
    for (let taken = 0; taken < part.length;) {
      const room = this.#room(part.length - taken);
      const some = part.subarray(taken, taken + Math.min(room.length, part.length - taken));
      room.set(some);
      this.#filled += some.length;
      taken += some.length;
      if (this.#filled === this.#memory.length) await this.#look(this.#filled - REACH, part.subarray(taken), false);
    }
    return true;
  }

  async end(): Promise<void> {
    await this.#look(this.#filled, Buffer.alloc(0), true);
    for (const { decoder } of this.#open) await decoder.end();
    this.#open = [];
    this.#memory = Buffer.alloc(0);
  }

  /** Goes through a whole content that is in memory already. */
  async whole(content: Buffer): Promise<void> {
    this.#memory = content;
    this.#filled = content.length;
    await this.end();
  }

  /** Free memory behind what is filled; what no probe can reach any more makes room. */
  #room(wanted: number): Buffer {
    const part = this.depth === 0 ? PART_BYTES : INNER_PART_BYTES;
    if (this.#memory.length === 0) this.#memory = Buffer.allocUnsafeSlow(part + 2 * REACH);
    if (this.#filled === this.#memory.length || this.#memory.length - this.#filled < Math.min(wanted, REACH)) {
      const gone = Math.max(0, this.#next - REACH);
      this.#memory.copyWithin(0, gone, this.#filled);
      this.#filled -= gone;
      this.#next -= gone;
      this.#base += gone;
    }
    return this.#memory.subarray(this.#filled);
  }

  /**
   * Looks at all places before `to`. `ahead`: bytes that were taken from the source already and are not in memory yet.
   * `last`: nothing comes after.
   */
  async #look(to: number, ahead: Buffer, last: boolean): Promise<void> {
    const bytes = this.#memory.subarray(0, this.#filled);
    const opened: { at: number; layer: string; decoder: DecoderOf }[] = [];
    const inner: { at: number; layer: string; content: Buffer }[] = [];
    const view: View = {
      bytes,
      base: this.#base,
      place: this.place,
      open: (at, layer, decoder) => opened.push({ at, layer, decoder }),
      inner: (at, layer, content) => inner.push({ at, layer, content }),
      leap: (at, until) => {
        this.#leapFrom = this.#base + at;
        this.#leapUntil = this.#base + until;
      },
      unread: (at, why) => this.course.unread(this.place, this.#base + at, why),
    };
    const from = Math.max(this.#next, this.#leapUntil - this.#base);
    this.#sweep(view, from, to);
    this.#readText(view, from, to, last);
    this.#next = Math.max(this.#next, to);
    for (const { at, layer, content } of inner) await this.#inside(at, layer)?.whole(content);
    for (const { at, layer, decoder } of opened) {
      const region = this.#inside(at, layer);
      if (!region) continue;
      const made = decoder(region, (why) => this.course.unread(this.place, this.#base + at, why));
      if ((await made.push(bytes.subarray(at))) && (ahead.length === 0 || (await made.push(ahead))))
        this.#open.push({ decoder: made, region });
    }
  }

  #inside(at: number, layer: string): Region | undefined {
    if (this.depth < DEEPEST) {
      this.course.through(layer);
      return new Region(this.course, within(this.place, layer, this.#base + at), this.depth + 1);
    }
    this.course.unread(this.place, this.#base + at, `deeper than ${DEEPEST} layers`);
    return undefined;
  }

  async #feedOpen(part: Buffer): Promise<void> {
    if (this.#open.length === 0) return;
    const still = [];
    for (const one of this.#open) if (await one.decoder.push(part)) still.push(one);
    this.#open = still;
  }

  /** Rows of hex digits and base64 letters; one that reaches beyond the memory is decoded along the way. */
  #readText(view: View, from: number, to: number, last: boolean): void {
    // One goes on that a decoder has: it says where the row ends.
    if (this.#runEnd === Infinity) return;
    const { bytes, base } = view;
    for (const run of textRuns(bytes, Math.max(0, this.#runEnd - base), from, to)) {
      const start = base + run.from;
      if (start >= this.#leapFrom && start < this.#leapUntil) continue;
      if (run.to === bytes.length && !last) {
        this.#runEnd = Infinity;
        view.open(
          run.from,
          run.kind,
          textDecoder(run, (length) => (this.#runEnd = start + length)),
        );
        return;
      }
      this.#runEnd = base + run.to;
      const decoded = decodeText(bytes.subarray(run.from, run.to), run.kind);
      this.course.token?.(view, run.from, run.to, decoded);
      view.inner(run.from, run.kind, decoded);
    }
  }

  #sweep(view: View, from: number, to: number): void {
    const { probes } = this.course;
    for (let at = nextPlace(probes, view.bytes, from, to); at < to; at = nextPlace(probes, view.bytes, at, to)) {
      lookAt(probes, view, at);
      const leap = this.#leapUntil - this.#base;
      at = leap > at ? leap : at + 1;
    }
  }
}
