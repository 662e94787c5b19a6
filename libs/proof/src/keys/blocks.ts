import { openBytes } from '#vault/primitive';
import type { View, Watch } from '../reading/probes.js';
import { REACH } from '../reading/probes.js';
import type { EventHead } from './event-heads.js';
import { headsAt } from './event-heads.js';
import type { OpenedScope } from './scope-records.js';

const FORMAT = 1;
/** Between a scope id and its block in JSON, which may itself stand in a string of JSON. */
const BETWEEN = /^\\*"\s*:\s*\\*"([A-Za-z0-9+/]+={0,2})/;
/** Blocks whose event stands elsewhere: PostgreSQL keeps what is long apart from the row. */
const MOST_WAITING = 10_000;

interface Waiting {
  readonly scope: OpenedScope;
  readonly block: Buffer;
  readonly view: View;
  readonly at: number;
}

/** Tries, in one reading, the keys of one owner's scopes on every block of the log that names one of them. */
export class Blocks {
  /** By stream: heads of its events, wherever they were met. */
  readonly #heads = new Map<string, Map<string, EventHead>>();
  #waiting: Waiting[] = [];
  /** Blocks under these scopes that no event that was met fits. */
  unopened = 0;

  constructor(
    private readonly scopes: ReadonlyMap<string, OpenedScope>,
    private readonly found: (scope: OpenedScope, view: View, at: number) => void,
  ) {}

  get watches(): readonly Watch[] {
    const streams = [...new Set([...this.scopes.values()].map(({ stream }) => stream))];
    const byHead = Map.groupBy(streams, (stream) => stream.slice(0, 4));
    return [
      { heads: [...this.scopes.keys()].map((id) => Buffer.from(id)), probe: (view, at) => this.#block(view, at) },
      {
        heads: streams.map((stream) => Buffer.from(stream)),
        probe: (view, at) => {
          for (const stream of byHead.get(view.bytes.toString('latin1', at, at + 4)) ?? [])
            if (view.bytes.toString('latin1', at, at + stream.length) === stream)
              for (const head of headsAt(view, at, stream)) this.#learn(stream, head);
        },
      },
    ];
  }

  /** After the reading: blocks that were met before their events. */
  settle(): void {
    for (const { scope, block, view, at } of this.#waiting)
      if (this.#opens(scope, block)) this.found(scope, view, at);
      else this.unopened += 1;
    this.#waiting = [];
  }

  #learn(stream: string, head: EventHead): void {
    if (!this.#heads.has(stream)) this.#heads.set(stream, new Map());
    this.#heads.get(stream)!.set(`${head.eventId} ${head.type}`, head);
  }

  #block(view: View, at: number): void {
    const { bytes } = view;
    const scope = this.scopes.get(bytes.toString('latin1', at, at + 36));
    const text = scope && BETWEEN.exec(bytes.toString('latin1', at + 36, at + 36 + REACH))?.[1];
    if (!text) return;
    const block = Buffer.from(text, 'base64');
    if (this.#opens(scope, block)) return this.found(scope, view, at);
    if (this.#waiting.length === MOST_WAITING) return view.unread(at, 'more blocks than can wait for their events');
    // The bytes are the reading's own and will be others then.
    this.#waiting.push({ scope, block, at, view: { ...view, bytes: Buffer.alloc(0) } });
  }

  #opens({ scopeId, stream, dataKey }: OpenedScope, block: Buffer): boolean {
    const length = block[1] ?? 0;
    if (block[0] !== FORMAT || block.length <= 2 + length) return false;
    const [slot, category] = block.toString('ascii', 2, 2 + length).split('/');
    const sealed = block.subarray(2 + length);
    for (const { eventId, type } of this.#heads.get(stream)?.values() ?? []) {
      const place = ['makuler/block', FORMAT, eventId, type, stream, scopeId, slot, category].join('\0');
      if (openBytes(dataKey, sealed, Buffer.from(place))) return true;
    }
    return false;
  }
}
