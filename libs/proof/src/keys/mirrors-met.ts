import type { View, Watch } from '../reading/probes.js';
import { idsIn } from './neighbours.js';

const STATE = /^makuler\/custodian\/\d+ ([0-9a-f-]{36}) /;
const LIST = /^"(mirrors|retiredMirrors)":\[([^\]]*)\]/;

/**
 * Which mirrors of the custodian are enrolled, by the states that were met, and whose own state was met: the roots of one that
 * is away may still open something, and nobody who has not read them can say that they do not.
 */
export class MirrorsMet {
  readonly #enrolled = new Set<string>();
  readonly #gone = new Set<string>();

  readonly watches: readonly Watch[] = [
    { heads: [Buffer.from('makuler/')], probe: (view, at) => this.#state(view, at) },
    { heads: [Buffer.from('"mirrors"'), Buffer.from('"retiredMirrors"')], probe: (view, at) => this.#list(view, at) },
  ];

  get missing(): readonly string[] {
    return [...this.#enrolled].filter((id) => !this.#gone.has(id));
  }

  #state({ bytes }: View, at: number): void {
    const id = STATE.exec(bytes.toString('latin1', at, at + 80))?.[1];
    if (id !== undefined) this.#gone.add(id);
  }

  #list({ bytes }: View, at: number): void {
    const [, name, ids] = LIST.exec(bytes.toString('latin1', at, at + 4096)) ?? [];
    for (const id of idsIn(ids ?? '')) (name === 'mirrors' ? this.#enrolled : this.#gone).add(id);
  }
}
