import { codeOf, framesOf } from '#kernel';
import type { GateState } from './gate.js';
import { GateRefusal } from './gate.js';

/** Why something did not work: a code and places in the program. `why`: a sentence of ours, of places; never of data. */
export interface Fault {
  readonly code: string;
  readonly why?: string;
  readonly frames: readonly string[];
}

/** What happened to a vault, for the log: states, codes and sentences of ours. No key, no owner, no id of either. */
export type VaultNotice =
  | { readonly event: 'gate.opened'; readonly gate: GateState['state']; readonly applied?: number }
  | {
      readonly event: 'gate.closed' | 'gate.standby';
      readonly gate: GateState['state'];
      readonly why: string;
      readonly wayOut?: string;
    }
  /** What keeps a gate that is not open from opening, or a standby from looking whether it is needed. */
  | ({ readonly event: 'gate.waiting'; readonly gate: GateState['state'] } & Fault)
  /** `inherited`: the vault before did not give the lease up, and may believe in it for a while. */
  | { readonly event: 'lease.taken'; readonly inherited: boolean }
  | { readonly event: 'lease.lost'; readonly why: string }
  /** Work that nobody had asked for, so nobody else is told: to finish what a life before left undone, and to tend the mirrors. */
  | ({ readonly event: 'epochs.failed'; readonly what: 'finish' | 'tend' } & Fault)
  | { readonly event: 'epochs.recovered'; readonly what: 'tend' };

export type Tell = (notice: VaultNotice) => void;

/** Faults of something that is tried again and again: each is told of once, until it has succeeded. */
export class Faults {
  readonly #told = new Set<string>();

  /** `undefined` for one that was met before. */
  met(error: unknown): Fault | undefined {
    const fault = faultOf(error);
    if (this.#told.has(fault.code)) return undefined;
    this.#told.add(fault.code);
    return fault;
  }

  /** It has succeeded. Whether there had been any. */
  over(): boolean {
    const any = this.#told.size > 0;
    this.#told.clear();
    return any;
  }
}

const faultOf = (error: unknown): Fault => {
  const frames = framesOf(error);
  return error instanceof GateRefusal
    ? { code: error.reason, why: error.message, frames }
    : { code: codeOf(error), frames };
};
