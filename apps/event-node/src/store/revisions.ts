const MAX_STREAMS = 100_000;

/** Last revisions of the streams written to lately, the oldest forgotten first. Only the one writer may trust it. */
export class Revisions {
  readonly #map = new Map<string, number>();

  get(stream: string): number | undefined {
    return this.#map.get(stream);
  }

  set(stream: string, revision: number): void {
    // A Map keeps the order of insertion: deleting first makes this stream the newest.
    this.#map.delete(stream);
    this.#map.set(stream, revision);
    if (this.#map.size > MAX_STREAMS) for (const oldest of this.#map.keys()) return void this.#map.delete(oldest);
  }

  clear(): void {
    this.#map.clear();
  }
}
