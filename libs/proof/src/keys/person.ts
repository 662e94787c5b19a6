import type { View, Watch } from '../reading/probes.js';
import { idsIn } from './neighbours.js';

/** Whom an id names, as far as what was read says so. */
export interface Person {
  readonly ownerId: string;
  /** `unknown`: it stands nowhere, so that nothing that was not found means anything. */
  readonly namedBy: 'owner' | 'erasure' | 'unknown';
}

const OWNER = /"ownerId\\*":\s*\\*"([0-9a-f-]{36})/;
const EVENT_BYTES = 2048;

/**
 * Learns, in a reading, whom an id names: the events of an erasure stand in the person's own stream and name the erasure and
 * the person side by side, in clear.
 */
export class PersonWatch {
  #owner: string | undefined;
  #met = false;
  readonly #raw: Buffer;

  constructor(private readonly id: string) {
    this.#raw = Buffer.from(id.replaceAll('-', ''), 'hex');
  }

  get watches(): readonly Watch[] {
    return [
      { heads: [Buffer.from(this.id)], probe: (view, at) => this.#text(view, at) },
      // In columns of type uuid it stands as bytes.
      {
        heads: [this.#raw],
        probe: ({ bytes }, at) => void (this.#met ||= bytes.subarray(at, at + 16).equals(this.#raw)),
      },
    ];
  }

  get person(): Person {
    if (this.#owner !== undefined) return { ownerId: this.#owner, namedBy: 'erasure' };
    return { ownerId: this.id, namedBy: this.#met ? 'owner' : 'unknown' };
  }

  #text({ bytes }: View, at: number): void {
    if (bytes.toString('latin1', at, at + this.id.length) !== this.id) return;
    this.#met = true;
    if (
      this.#owner !== undefined ||
      !/"erasureId\\*":\s*\\*"$/.test(bytes.toString('latin1', Math.max(0, at - 24), at))
    )
      return;
    const [before, after] = [
      bytes.toString('latin1', Math.max(0, at - EVENT_BYTES), at),
      bytes.toString('latin1', at, at + EVENT_BYTES),
    ];
    // In the same object: no other event's owner lies between.
    const object = before.slice(before.lastIndexOf('{')) + after.slice(0, after.indexOf('}') + 1 || after.length);
    const owner = OWNER.exec(object)?.[1];
    if (owner !== undefined && idsIn(owner).length === 1) this.#owner = owner;
  }
}
